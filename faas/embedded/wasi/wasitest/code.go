package wasitest

// Instructions.
const (
	opUnreachable = 0x00
	opBlock       = 0x02
	opLoop        = 0x03
	opIf          = 0x04
	opEnd         = 0x0b
	opBranch      = 0x0c
	opBranchIf    = 0x0d
	opCall        = 0x10
	opLoad        = 0x28
	opStore       = 0x36
	opGrow        = 0x40
	opConst       = 0x41
	opEqualsZero  = 0x45
	opEquals      = 0x46
	noResult      = 0x40
)

// Where the modules here keep things in memory: the address and length of what
// is read or written, how much it was, and the bytes.
const (
	atBuffer = 0
	atLength = 4
	atCount  = 8
	atBytes  = 1024
	room     = 32 << 10
)

// Const pushes a number.
func Const(n int32) []byte {
	out := []byte{opConst}
	for {
		low := byte(n & 0x7f)
		n >>= 7
		if n == 0 && low&0x40 == 0 || n == -1 && low&0x40 != 0 {
			return append(out, low)
		}
		out = append(out, low|0x80)
	}
}

func call(function byte, arguments ...int32) []byte {
	var out []byte
	for _, a := range arguments {
		out = append(out, Const(a)...)
	}
	return append(out, opCall, function)
}

func load(address int32) []byte { return append(Const(address), opLoad, 2, 0) }

// store puts what value pushes to address.
func store(address int32, value []byte) []byte {
	return join(Const(address), value, []byte{opStore, 2, 0})
}

// loop repeats body until that leaves by leaveIf.
func loop(body ...[]byte) []byte {
	return join([]byte{opBlock, noResult, opLoop, noResult}, join(body...), []byte{opBranch, 0, opEnd, opEnd})
}

// leaveIf leaves the loop if the number pushed last is not 0.
func leaveIf() []byte { return []byte{opBranchIf, 1} }

// failIf ends the module with a status if the number pushed last is not 0.
func failIf(status int32) []byte {
	return join([]byte{opIf, noResult}, call(procExit, status), []byte{opEnd})
}

// write sends bytes to a descriptor, and ends the module with status 74 if that
// fails.
func write(descriptor, from int32, length []byte) []byte {
	return join(store(atBuffer, Const(from)), store(atLength, length),
		call(fdWrite, descriptor, atBuffer, 1, atCount), failIf(74))
}

// Echo writes its input to its output, up to 32 KiB at once.
func Echo() []byte {
	return Module{Code: loop(
		store(atBuffer, Const(atBytes)), store(atLength, Const(room)),
		call(fdRead, 0, atBuffer, 1, atCount), failIf(74),
		load(atCount), []byte{opEqualsZero}, leaveIf(),
		write(1, atBytes, load(atCount)),
	)}.Bytes()
}

// Say writes text to its output, says to its log, and exits with a status; 0
// just ends.
func Say(text, says string, status int32) []byte {
	code := join(write(1, DataAt, Const(int32(len(text)))), write(2, DataAt+int32(len(text)), Const(int32(len(says)))))
	if status != 0 {
		code = join(code, call(procExit, status))
	}
	return Module{Data: text + says, Code: code}.Bytes()
}

// Flood writes text again and again, so many times (-1: for ever), and exits with
// a status.
func Flood(text string, times, status int32) []byte {
	const atTimes = 16
	return Module{Data: text, Code: join(store(atTimes, Const(times)), loop(
		load(atTimes), []byte{opEqualsZero}, leaveIf(),
		write(1, DataAt, Const(int32(len(text)))),
		store(atTimes, join(load(atTimes), Const(-1), []byte{0x6a})),
	), call(procExit, status))}.Bytes()
}

// Environ writes its variables, each with a final zero byte.
func Environ() []byte {
	const atPointers = 1024
	return Module{Code: join(
		call(environSizes, atCount, atCount+4), failIf(71),
		call(environ, atPointers, atPointers+16<<10), failIf(71),
		write(1, atPointers+16<<10, load(atCount+4)),
	)}.Bytes()
}

// Spin computes for ever.
func Spin() []byte { return Module{Code: []byte{opLoop, noResult, opBranch, 0, opEnd}}.Bytes() }

// Trap runs into what must not be reached.
func Trap() []byte { return Module{Code: []byte{opUnreachable}}.Bytes() }

// Grow asks for so many pages of 64 KiB more, and exits with status 12 if it
// does not get them.
func Grow(pages int32) []byte {
	return Module{Code: join(Const(pages), []byte{opGrow, 0}, Const(-1), []byte{opEquals}, failIf(12))}.Bytes()
}
