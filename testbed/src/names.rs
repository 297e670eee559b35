//! The names of an application's pods, as Kubernetes gives them.

use std::net::Ipv4Addr;

/// The application and the model that names are made of.
#[derive(Debug, Clone)]
pub struct Names {
    /// The application's name.
    pub application: String,
    /// The model's name: the Kubernetes namespace.
    pub model: String,
}

impl Names {
    /// The name of a pod inside itself.
    pub fn pod(&self, unit: u32) -> String {
        format!("{}-{unit}", self.application)
    }

    /// The name of the unit, as Juju writes it.
    pub fn unit(&self, unit: u32) -> String {
        format!("{}/{unit}", self.application)
    }

    /// The full name by which the pods know one another.
    pub fn host(&self, unit: u32) -> String {
        format!("{}.{}.svc.{CLUSTER_DOMAIN}", self.short_host(unit), self.model)
    }

    /// The number of the unit whose full name this is.
    pub fn unit_of(&self, host: &str) -> Option<u32> {
        let rest = host.strip_prefix(&self.application)?.strip_prefix('-')?;
        let unit = rest.split('.').next()?.parse().ok()?;
        (self.host(unit) == host).then_some(unit)
    }

    fn short_host(&self, unit: u32) -> String {
        format!("{}.{}-endpoints", self.pod(unit), self.application)
    }

    /// The text of a pod's hosts file, as the kubelet writes it.
    pub(crate) fn hosts(&self, unit: u32, address: Ipv4Addr) -> String {
        let (host, pod) = (self.host(unit), self.pod(unit));
        format!("{LOCAL_HOSTS}{address}\t{host}\t{pod}\n")
    }

    /// The text of a resolver file as Kubernetes writes it.
    pub(crate) fn resolver(&self, server: Ipv4Addr) -> String {
        let model = &self.model;
        format!(
            "search {model}.svc.{CLUSTER_DOMAIN} svc.{CLUSTER_DOMAIN} {CLUSTER_DOMAIN}\n\
             nameserver {server}\noptions ndots:5\n"
        )
    }
}

const CLUSTER_DOMAIN: &str = "cluster.local";

const LOCAL_HOSTS: &str = "# Kubernetes-managed hosts file.
127.0.0.1\tlocalhost
::1\tlocalhost ip6-localhost ip6-loopback
fe00::0\tip6-localnet
fe00::0\tip6-mcastprefix
fe00::1\tip6-allnodes
fe00::2\tip6-allrouters
";
