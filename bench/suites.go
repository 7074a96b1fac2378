package main

// suites are the go test benchmarks that are published.
var suites = []suite{
	{
		pkg:     "./xmppconn",
		pattern: "^(BenchmarkScan|BenchmarkEncodingXMLDecode|BenchmarkEncodingXMLTokens|BenchmarkFrame|BenchmarkFrameAndDecode|BenchmarkFrameAndParse|BenchmarkAppendMessage)$",
		compare: map[string][]string{
			"Frame/presence": {"Scan/presence"}, "Frame/message": {"Scan/message"},
			"FrameAndDecode/presence": {"EncodingXMLDecode/presence", "Scan/presence"},
			"FrameAndDecode/message":  {"EncodingXMLDecode/message", "Scan/message"},
			"FrameAndDecode/occupant": {"FrameAndDecode/presence"},
			"FrameAndParse/presence":  {"EncodingXMLTokens/presence"},
			"FrameAndParse/message":   {"EncodingXMLTokens/message"},
		},
	},
	{pkg: "./sessions", pattern: "^(BenchmarkRoomMessage|BenchmarkRoomPresence)$", compare: map[string][]string{"RoomMessage/groupchat": {"RoomMessage/chat"}}},
	{pkg: "./internal/occupants", pattern: "^(BenchmarkJoin|BenchmarkCompare)$"},
	{pkg: "./api", pattern: "^(BenchmarkFanOut|BenchmarkHop)$"},
	{pkg: "./cache", pattern: "^BenchmarkCommit$", compare: map[string][]string{"Commit/redis": {"Commit/memory"}}},
	{pkg: "./cache", pattern: "^BenchmarkMemoryStorePerSession$"},
}
