"""Real Kubernetes API servers for the sandbox: one control plane for each simulated GKE cluster, on loopback.

Real: etcd, kube-apiserver with admission, kube-controller-manager, kube-scheduler. Simulated: nodes and their pods
(kwok), and what GKE adds to Kubernetes (gke.py, gke_addons.py): node pools, disks, load balancers, add-ons.
"""
