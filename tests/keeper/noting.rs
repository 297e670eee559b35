//! The note beside the data: what each unit's are, and whether Redis has ended well.

use redis_k8s::render::places;
use redis_k8s::world::lineage::Lineage;

use crate::stage::SOON;
use crate::stage::Stage;

#[test]
fn units_of_one_master_note_the_same_stream_and_a_clean_end_until_the_next_start() {
    let stage = Stage::running(3);
    stage.write_keys(0, 300);
    stage.wait("all note the same", SOON, || {
        let notes: Vec<Lineage> = [0, 1, 2].iter().filter_map(|unit| stage.note(*unit)).collect();
        let [master, others @ ..] = notes.as_slice() else { return None };
        let same = |note: &Lineage| {
            (&note.replication_id, note.offset) == (&master.replication_id, master.offset)
        };
        (others.len() == 2 && master.offset > 300 && others.iter().all(same)).then_some(())
    });
    let (master, replica) = (stage.note(0).unwrap(), stage.note(1).unwrap());
    // Its stream gets another id when the first replica comes.
    assert!(master.rank.epoch == 0 && (1..=2).contains(&master.rank.starts), "{master:?}");
    assert!(master.was_master && master.had_min_replicas, "{master:?}");
    assert!(!replica.was_master && !replica.stopped_cleanly, "{replica:?}");
    let file = stage.script(0, "redis", &format!("stat -c '%a' {}", places::LINEAGE), "");
    assert_eq!(file, "600");
    stage.stop(1, "redis");
    let stopped = stage.note(1).unwrap();
    assert!(stopped.stopped_cleanly && stopped.offset >= replica.offset, "{stopped:?}");
    stage.start_redis(1);
    stage.wait("it runs again", SOON, || stage.keys(1));
    assert!(!stage.note(1).unwrap().stopped_cleanly);
}
