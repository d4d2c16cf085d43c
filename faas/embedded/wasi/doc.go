// Package wasi runs a WebAssembly module per invocation, in this process and
// shut off from it, by the contract that package watchdog describes.
//
// A module is a command of WASI preview 1 (it exports _start and imports
// wasi_snapshot_preview1 only), as GOOS=wasip1 GOARCH=wasm, TinyGo, Rust's
// wasm32-wasip1 and wasi-sdk make them. [Engine] compiles it once and keeps the
// machine code on disk; [Runner] makes an instance of it for each invocation,
// whose memory is all zero at the beginning, whoever had it before.
//
//	engine := wasi.NewEngine(filepath.Join(dataDir, "cache", "wasm"))
//	runner, err := wasi.NewRunner(wasi.Config{Engine: engine, Digest: digest, Read: read, Log: log})
//	defer runner.Close()
//	err = runner.Load(ctx)
//	resp, err := runner.Invoke(ctx, request)
//
// Input and output, environment, held back header, exit status, settings and the
// lines in the log are as in package fork, except that no line says that a
// process is forked. A module that traps answers as one that exits with a status:
// 500 and the trap's name; where it happened is in the log. There is no network,
// and there are no files but those of Config.Mounts.
//
// Where wazero has no compiler (all but amd64 and arm64) it interprets: the same
// results, some ten times slower, and nothing to keep on disk.
//
// Every function has a wazero runtime of its own. One for each memory limit
// would do, but this one costs 0.2 ms and 31 KB, and in return functions share no
// lock and one is unloaded by closing what it has. Functions made of the same
// module share its machine code.
//
// Instances are not made ahead: of what an invocation of a small module costs,
// some 30 µs, that would save a third, and of the 2.4 ms of one made of Go half,
// for 3 MB each while nobody calls.
//
// Pitfalls: the memory limit is that of the module's linear memory; its call
// stack is apart from it, and may reach 400 MB before wazero takes a recursion
// for endless. A blocking read of a granted file is not interrupted. What an
// invocation takes of the processors is the time between its waits, so that all
// of what it waited for a processor is told as used.
package wasi
