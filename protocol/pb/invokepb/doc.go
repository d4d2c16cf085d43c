// Package invokepb is the generated code of invoke.proto.
package invokepb
