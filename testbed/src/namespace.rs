//! The namespaces of one pod: network, mounts, host name; kept alive by one idle process.

use std::ffi::OsStr;
use std::fs;
use std::fs::File;
use std::fs::OpenOptions;
use std::io::BufRead;
use std::io::BufReader;
use std::io::Write;
use std::net::Ipv4Addr;
use std::path::Path;
use std::path::PathBuf;
use std::process::Child;
use std::process::ChildStdin;
use std::process::ChildStdout;
use std::process::Command;
use std::process::Output;
use std::process::Stdio;
use std::sync::Arc;
use std::sync::Mutex;

use crate::error::BedError;
use crate::error::at_file;
use crate::ground::Ground;
use crate::processes;
use crate::transcript::lock;

/// A pod as its machine sees it: own address, own host name, own hosts and resolver files.
#[derive(Debug)]
pub struct Namespace {
    ground: Arc<Ground>,
    directory: PathBuf,
    address: Ipv4Addr,
    link: String,
    anchor: u32,
    network: String,
    child: Mutex<Child>,
    // The anchor ends when this closes.
    lifeline: Mutex<ChildStdin>,
    answers: Mutex<BufReader<ChildStdout>>,
}

impl Namespace {
    /// Makes the namespaces; there is no network in them before `join`.
    ///
    /// Split in three so that many pods are made at once: the waiting is in `made` and `joined`.
    pub(crate) fn begin(
        ground: Arc<Ground>,
        host_name: &str,
        address: Ipv4Addr,
        link: String,
    ) -> Result<Self, BedError> {
        let directory = ground.directory.join(host_name);
        fs::create_dir_all(&directory).map_err(at_file(&directory))?;
        for (name, text) in
            [("nsswitch.conf", "hosts: files dns\n"), ("hosts", ""), ("resolv.conf", "")]
        {
            let path = directory.join(name);
            fs::write(&path, text).map_err(at_file(&path))?;
        }
        let errors = directory.join("anchor.log");
        let errors = File::create(&errors).map_err(at_file(&errors))?;
        let mut command = if ground.programs.rootless {
            let mut command = ground.enter(ground.hub, &[]);
            command.arg(&ground.programs.unshare);
            command
        } else {
            ground.command(&ground.programs.unshare)
        };
        command.args(["--net", "--mount", "--uts", "--", "sh", "-c", ANCHOR, "pod"]);
        command.args([directory.as_os_str(), OsStr::new(host_name)]);
        command.args([OsStr::new(&address.to_string()), ground.programs.ip.as_os_str()]);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(errors);
        let mut child = ground.spawn(&mut command)?;
        let (Some(lifeline), Some(answers)) = (child.stdin.take(), child.stdout.take()) else {
            unreachable!("both are piped");
        };
        Ok(Self {
            ground,
            directory,
            address,
            link,
            anchor: child.id(),
            network: String::new(),
            child: Mutex::new(child),
            lifeline: Mutex::new(lifeline),
            answers: Mutex::new(BufReader::new(answers)),
        })
    }

    /// Waits until the namespaces are there and gives the hub's lines that connect it.
    pub(crate) fn made(&mut self) -> Result<Vec<String>, BedError> {
        self.expect_line("made")?;
        self.network = processes::namespace_of(self.anchor).unwrap_or_default();
        let Self { link, anchor, address, .. } = self;
        Ok(vec![
            format!("link add name {link} type veth peer name eth0 netns {anchor}"),
            format!("link set dev {link} up"),
            format!("address add {GATEWAY}/32 dev {link}"),
            format!("route add {address}/32 dev {link}"),
        ])
    }

    /// Lets the pod take up the link that the hub has made.
    pub(crate) fn join(&self) -> Result<(), BedError> {
        let mut lifeline = lock(&self.lifeline);
        lifeline.write_all(b"join\n").map_err(at_file(&self.directory))
    }

    /// Waits until the pod has its address.
    pub(crate) fn joined(&self) -> Result<(), BedError> {
        self.expect_line("joined")
    }

    fn expect_line(&self, wanted: &str) -> Result<(), BedError> {
        let mut line = String::new();
        let read = lock(&self.answers).read_line(&mut line);
        if read.is_ok() && line.trim_end() == wanted {
            return Ok(());
        }
        let status = lock(&self.child).wait().map_err(at_file(&self.directory))?;
        let stderr = fs::read_to_string(self.directory.join("anchor.log")).unwrap_or_default();
        Err(BedError::Failed { program: format!("a pod that was to be {wanted}"), status, stderr })
    }

    /// The pod's address.
    pub fn address(&self) -> Ipv4Addr {
        self.address
    }

    /// The folder of the pod's files on the machine.
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    pub(crate) fn link(&self) -> &str {
        &self.link
    }

    /// A command that runs `program` inside the pod, and is that program from its start: process id,
    /// signals and exit status are its own. Its working directory is `/`; see `command_in`.
    ///
    /// Arguments and environment are added as to any `Command`. `run` and `spawn` note the argv for
    /// the transcript.
    pub fn command(&self, program: impl AsRef<OsStr>) -> Command {
        let mut command = self.ground.enter(self.anchor, &["--net", "--mount", "--uts"]);
        command.arg(program);
        command
    }

    /// The same in a working directory (which `Command::current_dir` would set only outside the pod).
    pub fn command_in(&self, directory: &Path, program: impl AsRef<OsStr>) -> Command {
        let mut command = self.command("env");
        command.arg("--chdir").arg(directory).arg(program);
        command
    }

    /// Runs a command to its end with `input` at its stdin; its argv goes into the transcript.
    pub fn run(&self, command: &mut Command, input: &str) -> Result<Output, BedError> {
        self.ground.run(command, input)
    }

    /// Starts a command; its argv goes into the transcript. It ends with the bed at the latest.
    pub fn spawn(&self, command: &mut Command) -> Result<Child, BedError> {
        self.ground.spawn(command)
    }

    /// Shows a file or folder of the machine at another place inside the pod; there has to be a file
    /// or folder at that place already.
    pub fn bind(&self, source: &Path, target: &Path) -> Result<(), BedError> {
        let mut command = self.command("mount");
        let output = self.run(command.arg("--bind").arg(source).arg(target), "")?;
        if output.status.success() {
            return Ok(());
        }
        let stderr = String::from_utf8_lossy(&output.stderr).trim().to_owned();
        Err(BedError::Failed { program: "mount --bind".into(), status: output.status, stderr })
    }

    /// Rewrites the pod's `/etc/hosts`.
    pub fn set_hosts(&self, text: &str) -> Result<(), BedError> {
        rewrite(&self.directory.join("hosts"), text)
    }

    /// Rewrites the pod's `/etc/resolv.conf`.
    pub fn set_resolver(&self, text: &str) -> Result<(), BedError> {
        rewrite(&self.directory.join("resolv.conf"), text)
    }

    /// The processes in the pod, without the one that keeps its namespaces alive.
    pub fn processes(&self) -> Vec<u32> {
        let mut processes = processes::processes_in(&self.network);
        processes.retain(|process| *process != self.anchor);
        processes
    }

    /// Kills every process in the pod; the namespaces and the address stay.
    pub fn kill_processes(&self) -> Result<(), BedError> {
        processes::kill_all_in(&self.network, Some(self.anchor))
    }

    /// Kills every process in the pod and gives its namespaces up.
    pub(crate) fn end(&self) -> Result<(), BedError> {
        let killed = processes::kill_all_in(&self.network, None);
        let mut child = lock(&self.child);
        let _ = child.kill();
        let _ = child.wait();
        killed
    }

    pub(crate) fn network(&self) -> &str {
        &self.network
    }
}

impl Drop for Namespace {
    fn drop(&mut self) {
        let _ = self.end();
    }
}

/// Changes a file in place: it is bind-mounted, so it has to stay the same file, and whoever reads it
/// meanwhile must not find it empty.
fn rewrite(path: &Path, text: &str) -> Result<(), BedError> {
    let mut file = OpenOptions::new().write(true).open(path).map_err(at_file(path))?;
    file.write_all(text.as_bytes()).map_err(at_file(path))?;
    file.set_len(text.len() as u64).map_err(at_file(path))
}

/// The hub's address at every link.
const GATEWAY: &str = "169.254.1.1";

/// Arguments: folder, host name, address, `ip`. A cache of names would answer from outside the pod,
/// so its socket is hidden.
const ANCHOR: &str = r#"
set -e
hostname "$2"
mount --bind "$1/hosts" /etc/hosts
mount --bind "$1/resolv.conf" /etc/resolv.conf
mount --bind "$1/nsswitch.conf" /etc/nsswitch.conf
[ ! -d /run/nscd ] || mount -t tmpfs none /run/nscd
echo made
read -r join
"$4" -batch - <<LINES
link set dev lo up
link set dev eth0 up
address add $3/32 dev eth0
route add default via 169.254.1.1 dev eth0 onlink
LINES
echo joined
exec cat >/dev/null
"#;
