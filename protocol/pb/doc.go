// Package pb keeps the .proto files of the wire messages, one folder each, with
// the code generated from them. protocol/README.md says how messages are framed
// and in which order they come. Regenerate with "make proto" after a change.
//
// The hot protocols write and read these bytes with code of their own (see
// packages invoke and load), held equal to the generated code by tests.
package pb
