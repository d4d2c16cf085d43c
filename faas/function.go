package faas

import (
	"crypto/sha256"
	"encoding/binary"
)

// Function is a deployment as it was asked for; all fields are kept as sent.
type Function struct {
	Name Name
	// Image is an opaque string that the Runtime resolves.
	Image string
	// EnvProcess is a command line; with an image that resolves to nothing else
	// it is forked per request.
	EnvProcess             string
	EnvVars                map[string]string
	Constraints            []string
	Secrets                []string
	Labels                 map[string]string
	Annotations            map[string]string
	Limits                 *Resources
	Requests               *Resources
	ReadOnlyRootFilesystem bool
}

// Resources as in OpenFaaS: quantities such as "64Mi" and "100m", and counts of
// GPUs.
type Resources struct {
	Memory    string
	CPU       string
	NvidiaGPU string
	AmdGPU    string
	IntelGPU  string
}

// Annotations that the mesh reads.
const (
	// AnnotationIdempotent "true": an invocation may run twice.
	AnnotationIdempotent = "p2pfaas.idempotent"
	// AnnotationMesh "off" keeps a function's bodies on this node; "run-only"
	// runs other nodes' invocations but sends none of its own away.
	AnnotationMesh = "p2pfaas.mesh"
	// AnnotationWeight is the share of a server that one invocation takes, 0.02 to 64.
	AnnotationWeight = "p2pfaas.weight"
	// AnnotationDeadline is the default deadline, a Go duration.
	AnnotationDeadline = "p2pfaas.deadline"
	// AnnotationVersion tells apart two deployments that are otherwise the same.
	AnnotationVersion = "p2pfaas.version"
)

// Fingerprint tells whether two nodes run the same function.
type Fingerprint [8]byte

// Fingerprint is the first 8 bytes of SHA-256 over name, namespace, image,
// envProcess and version. Each part is preceded by its length, so that no two
// lists of parts collide. Environment, labels and limits may differ between
// nodes: they tune a function, they do not make it another.
func (f *Function) Fingerprint() Fingerprint {
	h := sha256.New()
	for _, part := range []string{f.Name.Function, f.Name.Namespace, f.Image, f.EnvProcess, f.Annotations[AnnotationVersion]} {
		var length [8]byte
		binary.BigEndian.PutUint64(length[:], uint64(len(part)))
		h.Write(length[:])
		h.Write([]byte(part))
	}
	var sum [sha256.Size]byte
	return Fingerprint(h.Sum(sum[:0])[:8])
}
