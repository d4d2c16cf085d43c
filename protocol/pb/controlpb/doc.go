// Package controlpb is the generated code of control.proto.
package controlpb
