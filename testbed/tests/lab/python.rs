//! A charm of the Python framework, as charmcraft packs it, runs as any other.

use std::env;
use std::fs;
use std::path::Path;
use std::path::PathBuf;
use std::process::Command;
use std::sync::Mutex;

use testbed::lab::Lab;
use testbed::lab::Options;

use super::stage::LIMIT;
use super::stage::Result;
use super::stage::charms;
use super::stage::shell;

#[test]
fn a_charm_of_the_python_framework_deploys_acts_scales_and_comes_back() -> Result {
    let python = Python::find()?;
    let charm = charm(&python)?;
    let shown = python.shown.clone();
    let lab = Lab::start_with(Options { seed: 1, speed: 5.0, shown, ..Options::default() })?;
    lab.deploy(&charm, "clerk", 3)?;
    lab.wait_for_active("clerk", LIMIT)?;
    let leader = |lab: &Lab| {
        let units = lab.status().applications[0].units.clone();
        units.into_iter().find(|unit| unit.is_leader).map(|unit| unit.name)
    };
    let chief = leader(&lab).ok_or("there is a leader")?;

    let all = |lab: &Lab, mates: &str| -> Option<()> {
        let report = lab.run("clerk/0", "report", &[("of", "the-day")]).ok()?;
        (report.results["mates"] == mates && report.results["chief"] == chief.as_str())
            .then_some(())
    };
    lab.wait_until("all know one another and their chief", LIMIT, |lab| {
        all(lab, "clerk/1 clerk/2")
    })?;
    let report = lab.run("clerk/0", "report", &[("of", "the-day")])?;
    assert_eq!(report.status, "completed", "{report:?}");
    assert_eq!(report.results["of"], "the-day");
    assert_eq!(report.results["service"], "active");
    assert_eq!(report.results["greeting"], "hello");

    lab.config("clerk", &[("greeting", "good day")])?;
    lab.wait_until("all units say good day", LIMIT, |lab| {
        let units = &lab.status().applications[0].units;
        units.iter().all(|unit| unit.workload.message == "good day").then_some(())
    })?;
    let greeting = shell(&lab, "clerk/2", "desk", "cat /var/lib/clerk/greeting")?;
    assert_eq!(greeting, "good day");

    shell(&lab, "clerk/1", "desk", "/charm/bin/pebble notify example.com/bell")?;
    lab.wait_until("unit 0 hears of the notice of unit 1", LIMIT, |lab| {
        let report = lab.run("clerk/0", "report", &[]).ok()?;
        (report.results["notices"]["clerk-1"] == "example.com/bell").then_some(())
    })?;

    lab.scale("clerk", 1)?;
    lab.wait_until("one pod is left", LIMIT, |lab| (lab.pods().len() == 1).then_some(()))?;
    lab.delete_pod("clerk/0")?;
    lab.wait_until("the old pod is gone", LIMIT, |lab| {
        lab.pods().iter().all(|pod| pod.phase != "Terminating").then_some(())
    })?;
    lab.wait_for_active("clerk", LIMIT)?;
    lab.wait_until("its service runs in the new pod", LIMIT, |lab| {
        let report = lab.run("clerk/0", "report", &[]).ok()?;
        (report.results["service"] == "active" && report.results["mates"] == "").then_some(())
    })?;
    Ok(())
}

/// The charm's folder with the framework in `venv`, as charmcraft leaves it; made once below the build
/// directory.
fn charm(python: &Python) -> Result<PathBuf> {
    static MADE: Mutex<()> = Mutex::new(());
    let _held = MADE.lock();
    let test = env::current_exe()?;
    let target = test.ancestors().nth(3).ok_or("no build directory")?;
    let folder = target.join(format!("python-charm-{}", python.version));
    let source = charms().join("clerk");
    for (name, place) in [("charmcraft.yaml", ""), ("dispatch", ""), ("charm.py", "src")]
        .map(|(name, place)| (name, folder.join(place)))
    {
        fs::create_dir_all(&place)?;
        let from = if name == "charm.py" { source.join("src") } else { source.clone() };
        fs::copy(from.join(name), place.join(name))?;
    }
    let packages = folder.join("venv");
    if !packages.join("ops").is_dir() {
        let tools = target.join(format!("python-tools-{}", python.version));
        run(&python.program, &["-m", "venv"], &tools)?;
        let pip = tools.join("bin/pip");
        let pip = pip.to_str().ok_or("an odd path")?;
        run(pip, &["install", "--quiet", "--no-compile", "ops", "--target"], &packages)?;
    }
    Ok(folder)
}

/// The machine's `python3`.
struct Python {
    program: String,
    version: String,
    /// Where it lies, if not in `/usr`, which every container has.
    shown: Vec<PathBuf>,
}

impl Python {
    fn find() -> Result<Self> {
        let script = "import sys; v = sys.version_info; \
                      print(sys.executable, f'{v[0]}.{v[1]}', sys.base_prefix, sep='\\n')";
        let output = Command::new("python3").args(["-c", script]).output();
        let output = output.map_err(|error| format!("cannot run python3: {error}; {CURE}"))?;
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let mut lines = text.lines().map(str::to_owned);
        let (Some(program), Some(version), Some(prefix)) =
            (lines.next(), lines.next(), lines.next())
        else {
            return Err(format!("python3 does not say where it is; {CURE}").into());
        };
        let shown = if prefix == "/usr" { Vec::new() } else { vec![prefix.into()] };
        Ok(Self { program, version, shown })
    }
}

fn run(program: &str, arguments: &[&str], folder: &Path) -> Result {
    let output = Command::new(program).args(arguments).arg(folder).output();
    let output = output.map_err(|error| format!("cannot run {program}: {error}; {CURE}"))?;
    if output.status.success() {
        return Ok(());
    }
    let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
    Err(format!("{program} {arguments:?} failed: {stderr}; {CURE}").into())
}

const CURE: &str = "this test needs python3 with venv (apt-get install python3-venv), and the package \
                    index of pip to get `ops` from, once";
