//! A failover that stays open for as long as a test wants.

use std::time::Duration;

use testbed::layout::Layout;
use testbed::redis::answers::Role;

use crate::scene::Scene;
use crate::scene::eventually;

/// A failover from unit 0 that cannot end: the Sentinel that leads it waits for a frozen replica.
pub(crate) struct HeldFailover {
    /// The unit whose Redis is master by now.
    pub(crate) promoted: u32,
    /// The unit whose Redis is frozen.
    pub(crate) frozen: u32,
}

impl HeldFailover {
    /// Three healthy pods whose Sentinels have patience; unit 0 is master and leads in Juju.
    pub(crate) fn scene() -> Scene {
        let patience = Duration::from_mins(10);
        Scene::settled(Layout {
            down_after: patience,
            failover_timeout: patience,
            append_only: false,
            ..Layout::default()
        })
    }

    /// Has a unit's Sentinel lead a failover, which is then open.
    pub(crate) fn begin(scene: &Scene, leading: u32) -> Self {
        // Sentinel takes either for well for 5 s more, so it is frozen whichever is not chosen.
        for replica in [1, 2] {
            scene.bed.pod(replica).unwrap().freeze_redis();
        }
        let sentinel = scene.bed.pod(leading).unwrap();
        sentinel.sentinel("SENTINEL FAILOVER redis-k8s").unwrap();
        let promoted = eventually("a replica is chosen", || {
            let view = sentinel.sentinel_view().ok()?;
            let chosen = view.replicas.iter().find(|replica| replica.has_flag("promoted"))?;
            scene.bed.layout().names.unit_of(chosen.text("ip"))
        });
        scene.bed.pod(promoted).unwrap().thaw().unwrap();
        eventually("it is master", || {
            let role = scene.bed.pod(promoted).ok()?.redis_role().ok()?;
            matches!(role, Role::Master { .. }).then_some(())
        });
        let view = sentinel.sentinel_view().unwrap();
        assert!(view.master.has_flag("failover_in_progress"), "{view:?}");
        Self { promoted, frozen: 3 - promoted }
    }

    /// Lets it end: the old master follows, then the frozen replica may.
    pub(crate) fn release(&self, scene: &Scene) {
        let master = scene.bed.host(self.promoted);
        let old = scene.bed.pod(0).unwrap();
        old.redis(&format!("REPLICAOF {master} 6379")).unwrap();
        let follows = Role::Replica { master, connected: true };
        eventually("the old master follows", || (old.redis_role().ok()? == follows).then_some(()));
        scene.bed.pod(self.frozen).unwrap().thaw().unwrap();
    }

    /// Waits until it is over and all is well.
    pub(crate) fn is_over(&self, scene: &Scene) {
        let master = scene.bed.settle(&[0, 1, 2], Duration::from_secs(40)).unwrap();
        assert_eq!(master, self.promoted);
    }
}
