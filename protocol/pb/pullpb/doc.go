// Package pullpb is the generated code of pull.proto.
package pullpb
