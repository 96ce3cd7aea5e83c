"""The Gateway of an environment: the load balancer, the certificate and the names of everything that people reach."""
