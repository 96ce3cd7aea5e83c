"""Versions of what runs in the clusters: the one place that names them."""

JENKINS_CHART = "5.9.53"
"""https://github.com/jenkinsci/helm-charts/releases"""

JENKINS_IMAGE_TAG = "2.568.2-jdk21"
"""The LTS line that the chart above is made for."""

JENKINS_PLUGINS = {
    # What the chart would install by itself.
    "kubernetes": "4540.v612369217f87",
    "workflow-aggregator": "608.v67378e9d3db_1",
    "git": "5.10.1",
    "configuration-as-code": "2115.vf6de120eef70",
    # What the platform adds.
    "authorize-project": "2.0.0",
    "basic-branch-build-strategies": "317.v85b_331d6cc42",
    "build-timeout": "1.40",
    "github-branch-source": "1983.vfa_27ed961853",
    "job-dsl": "1.93",
    "junit": "1418.v67a_81935603c",
    "kubernetes-credentials-provider": "1.303.vdfcf47fb_b_fef",
    "lockable-resources": "1539.v4db_b_fc1cc115",
    "matrix-auth": "3.3",
    "oic-auth": "4.718.ve731df6ca_88a_",
    "pipeline-graph-view": "980.vb_db_0b_e5f683c",
    "pipeline-groovy-lib": "798.v5cc688825312",
    "pipeline-utility-steps": "3.810.va_7672d206740",
    "prometheus": "856.vc9e3d6e4b_b_9e",
    "slack": "795.v4b_9705b_e6d47",
    "timestamper": "1.30",
}
"""Every plugin pinned; https://github.com/jenkinsci/bom"""

CHART_PLUGINS = ("kubernetes", "workflow-aggregator", "git", "configuration-as-code")
"""Those that replace the chart's own list; one in both lists stops the controller from starting."""
