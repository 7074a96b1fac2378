package main

// suites are the go test benchmarks that are published.
var suites = []suite{}
