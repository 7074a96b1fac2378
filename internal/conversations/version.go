package conversations

// Version is the version of the rows that AppendRow writes.
const Version = rowVersion
