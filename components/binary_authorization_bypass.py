"""The admission policy that keeps pods from asking to be left out of Binary Authorization.

GKE starts a pod with the break-glass label whatever its images are, and only logs it. Whoever may create pods may write
the label, and so may the chart of a service. In an emergency, an administrator labels the namespace, and pods with the
break-glass label start there. The policy leaves out the namespaces of Kubernetes and GKE, where only administrators and
Google start pods.
https://cloud.google.com/binary-authorization/docs/using-breakglass
"""

from __future__ import annotations

import pulumi_kubernetes as kubernetes

from components.admission_rules import NOT_OF_GKE, POD_CHANGES

POLICY = "no-break-glass"

NAMESPACE_LABEL = "atwork.dev/break-glass"
"""Label of namespaces where pods may ask to be left out; only who may change namespaces can write it."""

LABEL = "image-policy.k8s.io/break-glass"
ANNOTATION = "alpha.image-policy.k8s.io/break-glass"
"""What GKE also takes, from before there was the label."""

SPEC: kubernetes.admissionregistration.v1.ValidatingAdmissionPolicySpecArgsDict = {
    "failure_policy": "Fail",
    "match_constraints": {
        "resource_rules": [POD_CHANGES],
        "namespace_selector": {"match_expressions": [{"key": NAMESPACE_LABEL, "operator": "DoesNotExist"}]},
    },
    "match_conditions": [NOT_OF_GKE],
    "validations": [
        {
            "expression": f"!('{key}' in object.metadata.?{place}.orValue({{}}))",
            "message": f"the {kind} {key} would leave the pod out of Binary Authorization; remove it. In an emergency, "
            f"an administrator labels the namespace with {NAMESPACE_LABEL}",
        }
        for place, kind, key in (("labels", "label", LABEL), ("annotations", "annotation", ANNOTATION))
    ],
}
