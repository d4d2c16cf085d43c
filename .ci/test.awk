# Reads the output of "go test -v". Prints each package's closing line as it
# comes, all output of a package that failed, and at the end the tests that were
# skipped, each with its reason. With -v require=all a skipped test is a failure.

/^(=== (RUN|PAUSE|CONT|NAME)|PASS$)/ { next }
/^[ \t]*--- PASS/                     { next }

/^[ \t]*--- SKIP/ {
	sub(/^[ \t]*--- SKIP: /, "")
	sub(/ \([0-9.]+s\)$/, "")
	skipped[++skips] = $0
	reason = last
	sub(/^[ \t]+/, "", reason)
	reasons[skips] = reason
	next
}

/^ok  \t/ {
	print
	fflush()
	lines = 0
	next
}

/no test files\]$/ { lines = 0; next }

/^FAIL\t/ {
	for (i = 1; i <= lines; i++) print kept[i]
	print
	fflush()
	failed = 1
	lines = 0
	next
}

{ kept[++lines] = last = $0 }

END {
	for (i = 1; i <= lines; i++) print kept[i]
	for (i = 1; i <= skips; i++) print "skipped " skipped[i] ": " reasons[i]
	if (skips) print skips " skipped"
	if (skips && require == "all") {
		print "REQUIRE=all: a skipped test is a failure"
		exit 1
	}
}
