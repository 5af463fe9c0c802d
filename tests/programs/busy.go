// SPDX-License-Identifier: MIT
// Busy for a while, so that the runtime's CPU and heap profiles have stacks
// with methods, generics, closures and inlined calls.
package main

import (
	"context"
	"os"
	"runtime"
	"runtime/pprof"
	"sort"
	"time"
)

type tree[T any] struct {
	left, right *tree[T]
	value       T
}

var sink uint64
var kept []*tree[int]

func mix(x uint64) uint64 { return x*6364136223846793005 + 1442695040888963407 }

func (t *tree[T]) sum(weigh func(T) uint64) uint64 {
	if t == nil {
		return 0
	}
	s := weigh(t.value)
	for i := 0; i < 200; i++ {
		s = mix(s)
	}
	return s + t.left.sum(weigh) + t.right.sum(weigh)
}

func build(n int) *tree[int] {
	if n == 0 {
		return nil
	}
	return &tree[int]{build(n - 1), build(n - 1), n}
}

func order(n int) {
	s := make([]int, n)
	for i := range s {
		sink = mix(sink)
		s[i] = int(sink >> 33)
	}
	sort.Ints(s)
}

func work(t *tree[int], until time.Time) {
	for time.Now().Before(until) {
		sink += t.sum(func(v int) uint64 { return uint64(v) })
		order(20000)
	}
}

func main() {
	runtime.MemProfileRate = 512
	cpu, _ := os.Create(os.Args[1])
	heap, _ := os.Create(os.Args[2])
	t := build(10)
	for i := 0; i < 5; i++ {
		kept = append(kept, build(6))
	}
	pprof.StartCPUProfile(cpu)
	pprof.Do(context.Background(), pprof.Labels("shop", "sorted: [x]"), func(context.Context) {
		work(t, time.Now().Add(400*time.Millisecond))
	})
	pprof.StopCPUProfile()
	runtime.GC()
	pprof.WriteHeapProfile(heap)
}
