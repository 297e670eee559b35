//! Kubernetes on one machine, as far as a charm meets it: a StatefulSet whose pods roll, scale and come
//! back, and the kubelet that starts, probes, restarts and stops their containers.

pub(crate) mod back_off;
pub(crate) mod statefulset;
