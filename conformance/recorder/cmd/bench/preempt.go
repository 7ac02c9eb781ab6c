package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	v1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes/fake"
	"k8s.io/klog/v2"
	fwk "k8s.io/kube-scheduler/framework"
	"k8s.io/kubernetes/pkg/scheduler"
	internalcache "k8s.io/kubernetes/pkg/scheduler/backend/cache"
	"k8s.io/kubernetes/pkg/scheduler/framework"
)

// fill puts a one-GPU pod of low priority on every GPU.
func fill(ctx context.Context, sched *scheduler.Scheduler, nodes int) {
	logger := klog.FromContext(ctx)
	q := resource.MustParse
	zero := int32(0)
	started := metav1.NewTime(time.Unix(1, 0))
	for i := 0; i < nodes; i++ {
		for g := 0; g < []int{8, 8, 4}[i%3]; g++ {
			pod := &v1.Pod{}
			pod.Name, pod.Namespace = fmt.Sprintf("low-%06d-%d", i, g), "default"
			pod.UID = types.UID(pod.Name)
			pod.Labels = map[string]string{"app": "low"}
			pod.Spec.SchedulerName = "default-scheduler"
			pod.Spec.NodeName = fmt.Sprintf("node-%06d", i)
			pod.Spec.Priority = &zero
			pod.Status.StartTime = &started
			rl := v1.ResourceList{"cpu": q("1"), "memory": q("4Gi"), "nvidia.com/gpu": q("1")}
			pod.Spec.Containers = []v1.Container{{Name: "c", Image: "x", Resources: v1.ResourceRequirements{Requests: rl, Limits: rl}}}
			if err := sched.Cache.AddPod(logger, pod); err != nil {
				panic(err)
			}
		}
	}
}

// preempt lets PostFilter choose the victims, removes them, and puts the preemptor in their place:
// what an attempt that fails, a deletion and an attempt that succeeds come to without an API server.
func preempt(ctx context.Context, sched *scheduler.Scheduler, f framework.Framework, st fwk.CycleState, snap *internalcache.Snapshot, pod *v1.Pod, failure error) {
	logger := klog.FromContext(ctx)
	fit := &framework.FitError{}
	if !errors.As(failure, &fit) {
		panic(failure)
	}
	result, status := f.RunPostFilterPlugins(ctx, st, pod, fit.Diagnosis.NodeToStatus)
	if !status.IsSuccess() {
		panic(status.Message())
	}
	node, err := snap.Get(result.NominatedNodeName)
	if err != nil {
		panic(err)
	}
	victim := node.GetPods()[len(node.GetPods())-1].GetPod()
	if err := sched.Cache.RemovePod(logger, victim); err != nil {
		panic(err)
	}
	bound := pod.DeepCopy()
	bound.Spec.NodeName = result.NominatedNodeName
	if err := sched.Cache.AssumePod(logger, bound); err != nil {
		panic(err)
	}
}

// announce makes the preemptors known to the API server and waits until the informer has them:
// preemption looks its pod up there.
func announce(ctx context.Context, client *fake.Clientset, factory informers.SharedInformerFactory, mk func(int) *v1.Pod, pods int) {
	for i := 0; i < pods; i++ {
		if _, err := client.CoreV1().Pods("default").Create(ctx, mk(i), metav1.CreateOptions{}); err != nil {
			panic(err)
		}
	}
	lister := factory.Core().V1().Pods().Lister()
	for i := 0; i < 600; i++ {
		if found, err := lister.List(labels.Everything()); err == nil && len(found) >= pods {
			return
		}
		time.Sleep(100 * time.Millisecond)
	}
	panic("the informer has not seen the pods")
}
