//! A client that writes all the time, and knows which writes were acknowledged by a replica too.

use std::process::Child;

use testbed::layout::Layout;
use testbed::pod::CHARM;

use crate::stage::SOON;
use crate::stage::Stage;

/// A writer in the charm container of a unit; it asks the Sentinels anew after an error.
pub(crate) struct Writer {
    unit: u32,
    child: Child,
}

/// What it wrote.
pub(crate) struct Written {
    /// The numbers of the acknowledged writes.
    pub(crate) acknowledged: Vec<u64>,
    /// The longest time between two acknowledged writes, in seconds.
    pub(crate) gap: f64,
}

impl Writer {
    pub(crate) fn start(stage: &Stage, unit: u32) -> Self {
        let Layout { redis_password, sentinel_password, names, .. } = stage.bed.layout();
        let hosts: Vec<_> = stage.units().iter().map(|unit| stage.bed.host(*unit)).collect();
        let pod = stage.bed.pod(unit).unwrap().pod().unwrap();
        let mut command = pod.command(CHARM, "bash");
        command.args(["-c", SCRIPT, "writer", &names.application]).args(hosts);
        command.env("REDIS", redis_password.as_deref().unwrap_or_default());
        command.env("SENTINEL", sentinel_password.as_deref().unwrap_or_default());
        let child = pod.spawn(&mut command).unwrap();
        let writer = Self { unit, child };
        writer.has_written(stage, 20);
        writer
    }

    /// Waits until it has written so many more.
    pub(crate) fn has_written(&self, stage: &Stage, more: usize) {
        let count =
            || stage.script(self.unit, CHARM, "cat /tmp/acknowledged || true", "").lines().count();
        let before = count();
        stage.wait("a client writes", SOON * 3, || (count() >= before + more).then_some(()));
    }

    pub(crate) fn stop(mut self, stage: &Stage) -> Written {
        stage.script(self.unit, CHARM, "touch /tmp/stop", "");
        self.child.wait().unwrap();
        let text = stage.script(self.unit, CHARM, "cat /tmp/acknowledged", "");
        let lines = text.lines().filter_map(|line| line.split_once(' '));
        let (acknowledged, times): (Vec<u64>, Vec<f64>) = lines
            .map(|(number, time)| (number.parse::<u64>().unwrap(), time.parse::<f64>().unwrap()))
            .unzip();
        let gaps = times.windows(2).map(|pair| pair[1] - pair[0]);
        Written { acknowledged, gap: gaps.fold(0.0, f64::max) }
    }
}

impl Written {
    /// Those of its writes that a unit's Redis does not have.
    pub(crate) fn lost(&self, stage: &Stage, unit: u32) -> Vec<u64> {
        let pod = stage.bed.pod(unit).unwrap();
        let commands: Vec<_> =
            self.acknowledged.iter().map(|number| format!("EXISTS write:{number}")).collect();
        let commands: Vec<_> = commands.iter().map(String::as_str).collect();
        let answers = pod.ask(6379, &commands).unwrap();
        let pairs = self.acknowledged.iter().zip(answers);
        pairs.filter(|(_, answer)| answer.text() != "1").map(|(number, _)| *number).collect()
    }
}

const SCRIPT: &str = r#"
application=$1
shift
number=0
host=
while [ ! -e /tmp/stop ]; do
    if [ -z "$host" ]; then
        host=$(REDISCLI_AUTH=$SENTINEL timeout 1 redis-cli -h "$1" -p 26379 --raw \
            SENTINEL GET-MASTER-ADDR-BY-NAME "$application" 2>/dev/null | head -n 1)
        first=$1
        shift
        set -- "$@" "$first"
    fi
    number=$((number + 1))
    answer=$(printf 'SET write:%s x\nWAIT 1 1000\n' "$number" |
        REDISCLI_AUTH=$REDIS timeout 2 redis-cli -h "$host" 2>/dev/null)
    case $answer in
        OK*[1-9]*) echo "$number $EPOCHREALTIME" >>/tmp/acknowledged ;;
        *) host= ;;
    esac
done
"#;
