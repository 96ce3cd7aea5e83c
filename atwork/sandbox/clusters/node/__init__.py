"""A node that runs pods: kubelet and containerd in namespaces of their own, next to the control plane of a cluster.

The command starts `agent.py`, which creates the namespaces and stays. When it ends, for any reason, the kernel ends all
processes of the node, its mounts and its network. Only control groups outlive them: `control_groups.py` removes these.
"""
