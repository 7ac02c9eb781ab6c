package main

import (
	appsv1 "k8s.io/api/apps/v1"
	v1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// replicaSet owns the pods of the deployment shape; default spreading reads its selector.
func replicaSet() *appsv1.ReplicaSet {
	rs := &appsv1.ReplicaSet{}
	rs.Name, rs.Namespace, rs.UID = "web-5c", "default", "web-5c"
	rs.Spec.Selector = metav1Selector("a")
	rs.Spec.Template = v1.PodTemplateSpec{ObjectMeta: metav1.ObjectMeta{Labels: map[string]string{"app": "a"}}}
	return rs
}

func ownedBy(rs *appsv1.ReplicaSet) []metav1.OwnerReference {
	return []metav1.OwnerReference{*metav1.NewControllerRef(rs, appsv1.SchemeGroupVersion.WithKind("ReplicaSet"))}
}
