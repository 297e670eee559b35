//! Where the charm's files lie in the workload containers.

/// The folder of what is pushed, which goes with the container. It belongs to root, so that Redis
/// cannot write there: a `CONFIG REWRITE`, which Sentinel asks for, would leave a file with the
/// passwords that everybody can read (mode 644). The keeper renders the file anew at each start.
pub const FOLDER: &str = "/opt/redis-k8s";

/// The keeper: the charm's binary under this name.
pub const KEEPER: &str = "/opt/redis-k8s/redis-keeper";

/// The starter of Sentinel: the charm's binary under this name.
pub const SENTINEL_STARTER: &str = "/opt/redis-k8s/sentinel-starter";

/// Which program was pushed: written behind it, so that one that was cut off is pushed again.
pub const PROGRAM_MARK: &str = "/opt/redis-k8s/program";

/// What the keeper knows: mode 600, root's.
pub const KEEPER_INPUTS: &str = "/opt/redis-k8s/keeper.json";

/// What the keeper tells the charm: mode 600, root's.
pub const KEEPER_REPORT: &str = "/opt/redis-k8s/report.json";

/// What the keeper starts Redis with: mode 640, Redis' own.
pub const REDIS_CONF: &str = "/opt/redis-k8s/redis.conf";

/// Held by the keeper that runs.
pub const KEEPER_LOCK: &str = "/opt/redis-k8s/keeper.lock";

/// The exporter's password: mode 600, Redis' own.
pub const EXPORTER_PASSWORD: &str = "/opt/redis-k8s/exporter.json";

/// The storage `database`, in both containers.
pub const DATA: &str = "/var/lib/redis";

/// Where the data come from, as the keeper notes it: mode 600, beside the data and not among them.
pub const LINEAGE: &str = "/var/lib/redis/lineage.json";

/// Redis takes it away when it ends well; on the volume it outlives a container that was killed.
pub const PID_FILE: &str = "/var/lib/redis/redis.pid";

/// The folder of Sentinel's files on the volume: mode 700, Redis' own. Sentinel rewrites its file
/// with mode 644, and there are passwords in it.
pub const SENTINEL_FOLDER: &str = "/var/lib/redis/sentinel";

/// Sentinel's file, which it rewrites.
pub const SENTINEL_CONF: &str = "/var/lib/redis/sentinel/sentinel.conf";

/// The hosts that may stay in Sentinel's file, one a line.
pub const SENTINEL_MEMBERS: &str = "/var/lib/redis/sentinel/members";

/// The folder of logs.
pub const LOG_FOLDER: &str = "/var/log/redis";

/// What Redis logs; the Python charm's place.
pub const REDIS_LOG: &str = "/var/log/redis/redis-server.log";

/// The user and group of Redis, Sentinel and the exporter in the image.
pub const USER: &str = "redis";
