package api

import (
	"cmp"
	"math"

	"github.com/openfaas/faas-provider/types"

	"github.com/p2pfaas/p2pfaas/faas"
)

// ToFunction takes a deployment as it was sent; an empty namespace is the
// default one. Maps, lists and what pointers point to are shared, not copied.
func ToFunction(d *types.FunctionDeployment) faas.Function {
	return faas.Function{
		Name:                   faas.Name{Function: d.Service, Namespace: cmp.Or(d.Namespace, faas.DefaultNamespace)},
		Image:                  d.Image,
		EnvProcess:             d.EnvProcess,
		EnvVars:                d.EnvVars,
		Constraints:            d.Constraints,
		Secrets:                d.Secrets,
		Labels:                 fromPointer(d.Labels),
		Annotations:            fromPointer(d.Annotations),
		Limits:                 toResources(d.Limits),
		Requests:               toResources(d.Requests),
		ReadOnlyRootFilesystem: d.ReadOnlyRootFilesystem,
	}
}

// FromFunction is the inverse of [ToFunction].
func FromFunction(f *faas.Function) types.FunctionDeployment {
	return types.FunctionDeployment{
		Service:                f.Name.Function,
		Namespace:              f.Name.Namespace,
		Image:                  f.Image,
		EnvProcess:             f.EnvProcess,
		EnvVars:                f.EnvVars,
		Constraints:            f.Constraints,
		Secrets:                f.Secrets,
		Labels:                 toPointer(f.Labels),
		Annotations:            toPointer(f.Annotations),
		Limits:                 fromResources(f.Limits),
		Requests:               fromResources(f.Requests),
		ReadOnlyRootFilesystem: f.ReadOnlyRootFilesystem,
	}
}

// FromStatus gives a status the shape that OpenFaaS's clients read.
func FromStatus(s *faas.Status) types.FunctionStatus {
	d := FromFunction(&s.Function)
	return types.FunctionStatus{
		Name:                   d.Service,
		Image:                  d.Image,
		Namespace:              d.Namespace,
		EnvProcess:             d.EnvProcess,
		EnvVars:                d.EnvVars,
		Constraints:            d.Constraints,
		Secrets:                d.Secrets,
		Labels:                 d.Labels,
		Annotations:            d.Annotations,
		Limits:                 d.Limits,
		Requests:               d.Requests,
		ReadOnlyRootFilesystem: d.ReadOnlyRootFilesystem,
		InvocationCount:        float64(s.Invocations),
		Replicas:               uint64(max(s.Replicas, 0)),
		AvailableReplicas:      uint64(max(s.AvailableReplicas, 0)),
		CreatedAt:              s.CreatedAt,
		Usage:                  fromUsage(s.Usage),
	}
}

// ToStatus reads the status that an OpenFaaS gateway gave.
func ToStatus(s *types.FunctionStatus) faas.Status {
	d := types.FunctionDeployment{
		Service:                s.Name,
		Image:                  s.Image,
		Namespace:              s.Namespace,
		EnvProcess:             s.EnvProcess,
		EnvVars:                s.EnvVars,
		Constraints:            s.Constraints,
		Secrets:                s.Secrets,
		Labels:                 s.Labels,
		Annotations:            s.Annotations,
		Limits:                 s.Limits,
		Requests:               s.Requests,
		ReadOnlyRootFilesystem: s.ReadOnlyRootFilesystem,
	}
	return faas.Status{
		Function:          ToFunction(&d),
		Replicas:          int(min(s.Replicas, math.MaxInt32)),
		AvailableReplicas: int(min(s.AvailableReplicas, math.MaxInt32)),
		Invocations:       uint64(max(s.InvocationCount, 0)),
		CreatedAt:         s.CreatedAt,
		Usage:             toUsage(s.Usage),
	}
}

// millicores is OpenFaaS's unit of usage: thousandths of a core.
const millicores = 1000

func fromUsage(u *faas.Usage) *types.FunctionUsage {
	if u == nil {
		return nil
	}
	return &types.FunctionUsage{CPU: u.CPU * millicores, TotalMemoryBytes: float64(u.Memory)}
}

func toUsage(u *types.FunctionUsage) *faas.Usage {
	if u == nil {
		return nil
	}
	return &faas.Usage{CPU: max(u.CPU, 0) / millicores, Memory: int64(min(max(u.TotalMemoryBytes, 0), maxMemory))}
}

// maxMemory is more bytes than any machine has, and fits an int64.
const maxMemory = 1 << 60

// A nil map and an empty one differ in OpenFaaS's JSON (absent, {}); they do
// in a Function too.
func fromPointer(m *map[string]string) map[string]string {
	if m == nil {
		return nil
	}
	return *m
}

func toPointer(m map[string]string) *map[string]string {
	if m == nil {
		return nil
	}
	return &m
}

func toResources(r *types.FunctionResources) *faas.Resources {
	if r == nil {
		return nil
	}
	return &faas.Resources{Memory: r.Memory, CPU: r.CPU, NvidiaGPU: r.NvidiaGPU, AmdGPU: r.AmdGPU, IntelGPU: r.IntelGPU}
}

func fromResources(r *faas.Resources) *types.FunctionResources {
	if r == nil {
		return nil
	}
	return &types.FunctionResources{Memory: r.Memory, CPU: r.CPU, NvidiaGPU: r.NvidiaGPU, AmdGPU: r.AmdGPU, IntelGPU: r.IntelGPU}
}
