"""A small charm of the Python framework, to be run in the test bed."""

import ops


class Clerk(ops.CharmBase):
    """Writes down who leads, runs a service, answers an action."""

    def __init__(self, framework: ops.Framework):
        super().__init__(framework)
        framework.observe(self.on.leader_elected, self._on_leader_elected)
        framework.observe(self.on.desk_pebble_ready, self._on_pebble_ready)
        framework.observe(self.on.desk_pebble_custom_notice, self._on_notice)
        framework.observe(self.on.config_changed, self._on_config_changed)
        framework.observe(self.on.report_action, self._on_report)

    @property
    def _clerks(self) -> ops.Relation | None:
        return self.model.get_relation("clerks")

    def _on_leader_elected(self, _: ops.LeaderElectedEvent) -> None:
        if self._clerks:
            self._clerks.data[self.app]["chief"] = self.unit.name

    def _on_pebble_ready(self, event: ops.PebbleReadyEvent) -> None:
        self._work(event.workload)

    def _on_config_changed(self, _: ops.ConfigChangedEvent) -> None:
        container = self.unit.get_container("desk")
        if container.can_connect():
            self._work(container)
        else:
            self.unit.status = ops.WaitingStatus("for Pebble")

    def _on_notice(self, event: ops.PebbleCustomNoticeEvent) -> None:
        if self._clerks:
            self._clerks.data[self.unit]["notice"] = event.notice.key

    def _on_report(self, event: ops.ActionEvent) -> None:
        if not self._clerks:
            event.fail("no peer relation")
            return
        mates = sorted(unit.name for unit in self._clerks.units)
        notices = {
            unit.name.replace("/", "-"): self._clerks.data[unit].get("notice", "")
            for unit in (self.unit, *self._clerks.units)
        }
        container = self.unit.get_container("desk")
        event.set_results(
            {
                "of": event.params["of"],
                "chief": self._clerks.data[self.app].get("chief", ""),
                "mates": " ".join(mates),
                "notices": notices,
                "greeting": container.pull("/var/lib/clerk/greeting").read().strip(),
                "service": str(container.get_service("clerk").current.value),
            }
        )

    def _work(self, container: ops.Container) -> None:
        greeting = str(self.config["greeting"])
        container.push("/var/lib/clerk/greeting", greeting + "\n", make_dirs=True)
        container.add_layer("clerk", self._layer(greeting), combine=True)
        container.replan()
        self.unit.set_workload_version("1")
        self.unit.status = ops.ActiveStatus(greeting)

    @staticmethod
    def _layer(greeting: str) -> ops.pebble.LayerDict:
        return {
            "summary": "the clerk",
            "services": {
                "clerk": {
                    "override": "replace",
                    "command": "sleep infinity",
                    "startup": "enabled",
                    "environment": {"GREETING": greeting},
                }
            },
        }


if __name__ == "__main__":
    ops.main(Clerk)
