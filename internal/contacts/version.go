package contacts

// Version is the version of the rows that AppendRow writes. Before the first of them a contact was
// JSON, whose first octet looks like no version.
const Version = rowVersion>>6 - 1
