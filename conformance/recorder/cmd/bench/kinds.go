package main

import (
	"fmt"

	v1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
)

// shapeOf128 gives the n-th pod one of 128 specs, as benchmarks/shapes.py does (one_of_128).
func shapeOf128(i int, pod *v1.Pod, rl v1.ResourceList) {
	q := resource.MustParse
	kind := i % 128
	rl["cpu"] = q(fmt.Sprintf("%dm", 100*(1+kind%16)))
	rl["memory"] = q(fmt.Sprintf("%dMi", 256*(1+kind%24)))
	if gpus := kind % 3; gpus > 0 {
		rl["nvidia.com/gpu"] = q(fmt.Sprint(gpus))
	}
	zone := []string{fmt.Sprintf("z%d", kind%3)}
	key := "topology.kubernetes.io/zone"
	switch kind % 4 {
	case 1:
		pod.Spec.NodeSelector = map[string]string{key: zone[0]}
	case 2:
		pod.Spec.Affinity = &v1.Affinity{NodeAffinity: &v1.NodeAffinity{PreferredDuringSchedulingIgnoredDuringExecution: []v1.PreferredSchedulingTerm{{
			Weight:     int32(1 + kind%50),
			Preference: v1.NodeSelectorTerm{MatchExpressions: []v1.NodeSelectorRequirement{{Key: key, Operator: v1.NodeSelectorOpIn, Values: zone}}},
		}}}}
	}
}

// mixedShape gives the n-th pod one of many sizes: small and large, with and without GPUs.
func mixedShape(i int, rl v1.ResourceList) {
	q := resource.MustParse
	rl["cpu"] = q([]string{"500m", "1", "2", "4", "8"}[i*7%5])
	rl["memory"] = q([]string{"1Gi", "4Gi", "8Gi", "16Gi"}[i*5%4])
	if gpus := []int{0, 1, 1, 0, 1, 2, 0, 1, 1, 4}[i*3%10]; gpus > 0 {
		rl["nvidia.com/gpu"] = q(fmt.Sprint(gpus))
	}
}
