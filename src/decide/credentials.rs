//! Passwords.

use crate::decide::Situation;
use crate::decide::plan::Plan;

/// Each password that is missing is generated and stored; one that exists is never touched.
pub fn create(at: &Situation<'_>, plan: &mut Plan) {
    let juju = &at.world.juju;
    let fresh = &juju.fresh_passwords;
    if juju.application.redis_password.is_none() {
        plan.write("store redis-password", "there is none", |application| {
            application.redis_password = Some(fresh.redis.clone());
        });
    }
    if juju.application.sentinel_password.is_none() {
        plan.write("store sentinel-password", "there is none", |application| {
            application.sentinel_password = Some(fresh.sentinel.clone());
        });
    }
}
