package contacts

// Size returns the chunks of a table, their bytes, and the groups.
func (t Table) Size() (chunks, bytes, groups int) {
	for _, g := range t.groups {
		for _, c := range g {
			bytes += len(c)
		}
		chunks += len(g)
	}
	return chunks, bytes, len(t.groups)
}
