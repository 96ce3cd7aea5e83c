"""Google's own accounts in the project, one for each service that acts for us: they exist only when asked for.

Owns: the asking. Does not own: what an agent may do (each component grants its own).

Trap: a grant to an agent that does not exist yet is refused with 400, and the provider does not try again
(iamPolicyReadModifyWrite in terraform-provider-google's tpgiamresource/iam.go retries conflicts alone). Each member is
therefore known only when its agent is there.
"""

from __future__ import annotations

from collections.abc import Iterable

import pulumi
import pulumi_gcp as gcp


class ServiceAgents(pulumi.ComponentResource):
    """Agents by the service's API name. https://cloud.google.com/iam/docs/service-agents"""

    members: dict[str, pulumi.Output[str]]
    """IAM members `serviceAccount:...` by service."""

    def __init__(
        self,
        name: str,
        services: Iterable[str],
        *,
        project_number: pulumi.Input[str],
        network_id: pulumi.Input[str],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("atwork:service_agents:ServiceAgents", name, {}, opts)
        # Compute Engine's comes with its API and cannot be asked for; once the API has made the network, it is there.
        compute = pulumi.Output.all(project_number, network_id).apply(
            lambda values: f"serviceAccount:service-{values[0]}@compute-system.iam.gserviceaccount.com"
        )
        self.members = {"compute.googleapis.com": compute}
        for service in sorted(set(services) - self.members.keys()):
            identity = gcp.projects.ServiceIdentity(
                f"{name}-{service.removesuffix('.googleapis.com')}",
                service=service,
                opts=pulumi.ResourceOptions(parent=self),
            )
            self.members[service] = identity.member
        self.register_outputs({"members": self.members})
