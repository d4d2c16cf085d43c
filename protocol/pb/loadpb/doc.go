// Package loadpb is the generated code of load.proto.
package loadpb
