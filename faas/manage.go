package faas

import (
	"context"
	"errors"
	"iter"
	"time"
)

// ErrExists: there is one of that name already.
var ErrExists = errors.New("exists already")

// SecretKeeper is offered by a Runtime that keeps secrets for its functions. A
// Function names those that it may read in its Secrets, by name and within its
// own namespace.
type SecretKeeper interface {
	// Secrets lists those of a namespace, of all with "", sorted, values left out.
	Secrets(ctx context.Context, namespace string) ([]Secret, error)
	// CreateSecret returns ErrExists if there is one of that name.
	CreateSecret(ctx context.Context, s Secret) error
	// UpdateSecret returns ErrNotFound if there is none of that name.
	UpdateSecret(ctx context.Context, s Secret) error
	// DeleteSecret returns ErrNotFound if there is none of that name.
	DeleteSecret(ctx context.Context, namespace, name string) error
}

// Secret is a value that functions read from a file. Its name is 1 to 253 of
// a-z, 0-9, "-" and ".", no ".." in it.
type Secret struct {
	Name      string
	Namespace string
	Value     []byte
}

// Logger is offered by a Runtime that keeps what its functions write.
type Logger interface {
	// Logs yields a function's lines, the oldest first, until ctx ends if
	// q.Follow, else until there are no more; an error is the last that it
	// yields. It returns ErrNotFound for a function that is not deployed.
	Logs(ctx context.Context, q LogQuery) (iter.Seq2[LogLine, error], error)
}

// LogQuery says which lines are wanted.
type LogQuery struct {
	Name Name
	// Instance is one replica's name, "" for all.
	Instance string
	// Tail is how many of the last lines are wanted, -1 for all that are kept.
	Tail int
	// Since leaves out earlier lines; the zero time leaves out none.
	Since time.Time
	// Follow goes on with new lines as they are written.
	Follow bool
}

// LogLine is one line that a function wrote.
type LogLine struct {
	Name     Name
	Instance string
	At       time.Time
	Text     string // without its line feed
}

// NamespaceKeeper is offered by a Runtime that keeps namespaces of their own. A
// namespace is also there while a function is deployed in it, and
// [DefaultNamespace] always.
type NamespaceKeeper interface {
	// Namespaces lists all, sorted by name.
	Namespaces(ctx context.Context) ([]Namespace, error)
	// Namespace returns one, or ErrNotFound.
	Namespace(ctx context.Context, name string) (Namespace, error)
	// CreateNamespace returns ErrExists if there is one of that name.
	CreateNamespace(ctx context.Context, n Namespace) error
	// UpdateNamespace replaces labels and annotations, or returns ErrNotFound.
	UpdateNamespace(ctx context.Context, n Namespace) error
	// DeleteNamespace returns ErrNotFound, or ErrInvalid for one that functions
	// or secrets are in, and for the default one.
	DeleteNamespace(ctx context.Context, name string) error
}

// Namespace holds functions and secrets apart from others of the same name.
type Namespace struct {
	Name        string
	Labels      map[string]string
	Annotations map[string]string
}

// UsageTeller is offered by a Runtime that leaves Status.Usage out because it
// would cost a question more.
type UsageTeller interface {
	// Usage returns ErrNotFound, and ErrUnsupported if it is not known.
	Usage(ctx context.Context, name Name) (Usage, error)
}

// Usage is what a deployment takes of this machine now, all replicas together.
type Usage struct {
	CPU    float64 // cores, over the last seconds
	Memory int64   // resident bytes
}
