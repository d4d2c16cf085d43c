// Package hellopb is the generated code of hello.proto.
package hellopb
