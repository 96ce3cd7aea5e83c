"""Real Kubernetes API servers for the sandbox: one control plane for each simulated GKE cluster, on loopback.

What is real: etcd, kube-apiserver with its admission, kube-controller-manager, kube-scheduler. What is played: the
nodes and their pods (kwok), and what GKE does beside Kubernetes (gke.py): node pools, disks, load balancers, its kinds.
"""
