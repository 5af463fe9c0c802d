/* SPDX-License-Identifier: MIT */
/* A tree of stack frames: each distinct node (parent, module, address) once,
 * numbered from 1 in the order of first sight. A zeroed struct is empty. */
#ifndef PK_CAPTURE_NODES_H
#define PK_CAPTURE_NODES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct node {
	uint64_t addr;
	uint32_t parent; /* a node's number; 0: the outermost end */
	uint32_t module; /* the caller's number */
};

struct nodes {
	struct node *list; /* by number; [0] stands for no frame */
	size_t n, cap;	   /* [0] counts, once there is a node */
	uint64_t *slots;   /* the hash's upper half and the number */
	size_t mask;
};

/* The number of NODE, which is added when it is new; *ADDED, unless NULL,
 * tells. */
uint32_t nodes_add(struct nodes *t, struct node node, bool *added);
void nodes_free(struct nodes *t);

#endif
