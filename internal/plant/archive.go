//go:build plant_archive

package plant

// NoArchiveAfterFailedResume goes on after a failed resume without reading the archive.
const NoArchiveAfterFailedResume = true
