// Package asyncpb is the generated code of async.proto.
package asyncpb
