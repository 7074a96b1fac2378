package conversations

// Size returns the chunks of a table and their bytes.
func (t Table) Size() (chunks, bytes int) {
	for _, c := range t.chunks {
		bytes += len(c)
	}
	return len(t.chunks), bytes
}
