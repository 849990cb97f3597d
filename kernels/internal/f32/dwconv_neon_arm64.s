//go:build !purego

#include "go_asm.h"
#include "textflag.h"
#include "neon_arm64.h"

// Four pixels of a row, or one, by sixteen channels at a time, then eight, then the last seven as four, two and one. A
// weight vector is loaded once for all pixels, whose inputs stand a constant step apart.
//
//	              channels: 0–3  4–7  8–11 12–15
//	weights                 V0   V1   V2   V3
//	a pixel's inputs        V4   V5   V6   V7
//	pixel 0                 V16  V17  V18  V19
//	pixel 1                 V20  V21  V22  V23
//	pixel 2                 V24  V25  V26  V27
//	pixel 3                 V28  V29  V30  V31
//
// V8 and V9 hold the clamp.
//
//	R0  t                                 R9, R15, R16  inputs of pixel 0, weights of two blocks of channels
//	R1  groups left                       R10 bytes from the taps' addresses to this group's
//	R2  W, at the channels under way      R11 bytes from pixel to pixel of the input
//	R3  channels done, in bytes           R12 WStep
//	R4  channels left                     R13 bias, then output, at the channels under way
//	R5  next tap                          R14 LDO
//	R6  taps left                         R19 output of the group

// EACH{px} repeats op for px pixels: op(move, accumulators, first number).
#define EACH1(op, move) op(move, F16, F17, F18, F19, 16)
#define EACH4(op, move) EACH1(op, move); op(move, F20, F21, F22, F23, 20); op(move, F24, F25, F26, F27, 24); op(move, F28, F29, F30, F31, 28)

// START copies the bias.
#define START4(move, c0, c1, c2, c3, n) MOV4(0, n); MOV4(1, n+1); MOV4(2, n+2); MOV4(3, n+3)
#define START2(move, c0, c1, c2, c3, n) MOV4(0, n); MOV4(1, n+1)
#define START1(move, c0, c1, c2, c3, n) MOV4(0, n)

// MUL adds a pixel's inputs times the weights, and goes to the next pixel.
#define MUL4(move, c0, c1, c2, c3, n) FLDPQ (R9), (F4, F5); FLDPQ 32(R9), (F6, F7); ADD R11, R9; \
	FMLA4(4, 0, n); FMLA4(5, 1, n+1); FMLA4(6, 2, n+2); FMLA4(7, 3, n+3)
#define MUL2(move, c0, c1, c2, c3, n) FLDPQ (R9), (F4, F5); ADD R11, R9; FMLA4(4, 0, n); FMLA4(5, 1, n+1)
#define MUL1(move, c0, c1, c2, c3, n) move (R9), F4; ADD R11, R9; FMLA4(4, 0, n)

// MAX keeps the larger of the two.
#define MAX4(move, c0, c1, c2, c3, n) FLDPQ (R9), (F4, F5); FLDPQ 32(R9), (F6, F7); ADD R11, R9; \
	FMAX4(4, n, n); FMAX4(5, n+1, n+1); FMAX4(6, n+2, n+2); FMAX4(7, n+3, n+3)
#define MAX2(move, c0, c1, c2, c3, n) FLDPQ (R9), (F4, F5); ADD R11, R9; FMAX4(4, n, n); FMAX4(5, n+1, n+1)
#define MAX1(move, c0, c1, c2, c3, n) move (R9), F4; ADD R11, R9; FMAX4(4, n, n)

// STORE clamps and stores a pixel, and goes to the next.
#define CLAMP(n) FMAX4(8, n, n); FMIN4(9, n, n)
#define STORE4(move, c0, c1, c2, c3, n) CLAMP(n); CLAMP(n+1); CLAMP(n+2); CLAMP(n+3); \
	FSTPQ (c0, c1), (R13); FSTPQ (c2, c3), 32(R13); ADD R14, R13
#define STORE2(move, c0, c1, c2, c3, n) CLAMP(n); CLAMP(n+1); FSTPQ (c0, c1), (R13); ADD R14, R13
#define STORE1(move, c0, c1, c2, c3, n) CLAMP(n); move c0, (R13); ADD R14, R13

// FILL brings bias or weights to V0 and on: base is the first block of eight channels, next the second.
#define FILL4(move, base, next) FLDPQ (base), (F0, F1); FLDPQ (next), (F2, F3)
#define FILL2(move, base, next) FLDPQ (base), (F0, F1)
#define FILL1(move, base, next) move (base), F0

// WEIGHTS finds a tap's weights and brings them, from blocks of eight channels or of sixteen; a pool has none. FULL
// and HALF go past the weights of sixteen channels and of eight.
#define WEIGHTS8(FILL, move) MOVD -8(R5), R15; ADD R2, R15; ADD R12, R15, R16; FILL(move, R15, R16)
#define FULL8 ADD R12<<1, R2
#define HALF8 ADD R12, R2
#define WEIGHTS16(FILL, move) MOVD -8(R5), R15; ADD R2, R15; ADD $32, R15, R16; FILL(move, R15, R16)
#define FULL16 ADD R12, R2
#define HALF16 ADD $32, R2
#define NONE(FILL, move)

// CHANNELS is so many bytes of channels: all taps of all pixels.
#define CHANNELS(taps, each, bytes, move, WEIGHTS, FILL, START, OP, STORE) \
	MOVD Depthwise_Bias(R0), R13; \
	ADD R3, R13; \
	ADD $32, R13, R16; \
	FILL(move, R13, R16); \
	each(START, move); \
	MOVD Depthwise_Taps(R0), R5; \
	MOVD Depthwise_N(R0), R6; \
	PCALIGN $64; \
taps: \
	MOVD.P 16(R5), R9; \
	ADD R3, R9; \
	ADD R10, R9; \
	WEIGHTS(FILL, move); \
	each(OP, move); \
	SUBS $1, R6; \
	BNE taps; \
	ADD R3, R19, R13; \
	each(STORE, move); \
	ADD $bytes, R3

// GROUPS is the whole of a microkernel of px pixels.
#define GROUPS(each, px, WEIGHTS, FULL, HALF, OP4, OP2, OP1) \
	MOVD Depthwise_GroupsLeft(R0), R1; \
	MOVD ZR, R10; \
	MOVD Depthwise_Step(R0), R11; \
	MOVD Depthwise_WStep(R0), R12; \
	MOVD Depthwise_LDO(R0), R14; \
	MOVD Depthwise_Out(R0), R19; \
	FMOVS Depthwise_Lo(R0), F8; \
	FMOVS Depthwise_Hi(R0), F9; \
	VDUP V8.S[0], V8.S4; \
	VDUP V9.S[0], V9.S4; \
group: \
	MOVD Depthwise_W(R0), R2; \
	MOVD ZR, R3; \
	MOVD Depthwise_C(R0), R4; \
sixteen: \
	SUBS $16, R4; \
	BLT eight; \
	CHANNELS(taps16, each, 64, FMOVQ, WEIGHTS, FILL4, START4, OP4, STORE4); \
	FULL; \
	B sixteen; \
	/* Fewer than sixteen are left: the low four bits of R4 are their number. */ \
eight: \
	TBZ $3, R4, four; \
	CHANNELS(taps8, each, 32, FMOVQ, WEIGHTS, FILL2, START2, OP2, STORE2); \
	HALF; \
four: \
	TBZ $2, R4, two; \
	CHANNELS(taps4, each, 16, FMOVQ, WEIGHTS, FILL1, START1, OP1, STORE1); \
	ADD $16, R2; \
two: \
	TBZ $1, R4, one; \
	CHANNELS(taps2, each, 8, FMOVD, WEIGHTS, FILL1, START1, OP1, STORE1); \
	ADD $8, R2; \
one: \
	TBZ $0, R4, next; \
	CHANNELS(taps1, each, 4, FMOVS, WEIGHTS, FILL1, START1, OP1, STORE1); \
next: \
	MOVD $px, R6; \
	MADD R6, R10, R11, R10; \
	MADD R6, R19, R14, R19; \
	SUBS $1, R1; \
	BNE group; \
	MOVD ZR, Depthwise_GroupsLeft(R0)

// func dwconv4c16NEON(t *Depthwise)
TEXT ·dwconv4c16NEON(SB), NOSPLIT, $0-8
	MOVD t+0(FP), R0
	GROUPS(EACH4, 4, WEIGHTS8, FULL8, HALF8, MUL4, MUL2, MUL1)
	RET

// func dwconv1c16NEON(t *Depthwise)
TEXT ·dwconv1c16NEON(SB), NOSPLIT, $0-8
	MOVD t+0(FP), R0
	GROUPS(EACH1, 1, WEIGHTS8, FULL8, HALF8, MUL4, MUL2, MUL1)
	RET

// func maxpool4c16NEON(t *Depthwise)
TEXT ·maxpool4c16NEON(SB), NOSPLIT, $0-8
	MOVD t+0(FP), R0
	GROUPS(EACH4, 4, NONE, FULL8, HALF8, MAX4, MAX2, MAX1)
	RET

// func maxpool1c16NEON(t *Depthwise)
TEXT ·maxpool1c16NEON(SB), NOSPLIT, $0-8
	MOVD t+0(FP), R0
	GROUPS(EACH1, 1, NONE, FULL8, HALF8, MAX4, MAX2, MAX1)
	RET

// func dwrow4c16NEON(t *Depthwise)
TEXT ·dwrow4c16NEON(SB), NOSPLIT, $0-8
	MOVD t+0(FP), R0
	GROUPS(EACH4, 4, WEIGHTS16, FULL16, HALF16, MUL4, MUL2, MUL1)
	RET

// func dwrow1c16NEON(t *Depthwise)
TEXT ·dwrow1c16NEON(SB), NOSPLIT, $0-8
	MOVD t+0(FP), R0
	GROUPS(EACH1, 1, WEIGHTS16, FULL16, HALF16, MUL4, MUL2, MUL1)
	RET
