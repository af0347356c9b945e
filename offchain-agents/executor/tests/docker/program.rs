// Copyright The MODiCuM developers
// SPDX-License-Identifier: Apache-2.0

//! Programs of a few machine instructions, for system calls that no shell makes.

/// Where the program is loaded.
const BASE: u64 = 0x40_0000;
const HEADERS: u64 = 64 + 56;

/// A static ELF program for x86-64 from its code. `machine` is the ELF machine type: 62 for x86-64.
fn elf(code: &[u8], machine: u16) -> Vec<u8> {
	let mut file = b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0".to_vec();
	file.extend(2u16.to_le_bytes());
	file.extend(machine.to_le_bytes());
	file.extend(1u32.to_le_bytes());
	for field in [BASE + HEADERS, 64, 0] {
		file.extend(field.to_le_bytes());
	}
	file.extend(0u32.to_le_bytes());
	for field in [64u16, 56, 1, 0, 0, 0] {
		file.extend(field.to_le_bytes());
	}
	// One segment, readable and executable: the whole file.
	let length = HEADERS + code.len() as u64;
	file.extend(1u32.to_le_bytes());
	file.extend(5u32.to_le_bytes());
	for field in [0, BASE, BASE, length, length, 4096] {
		file.extend(field.to_le_bytes());
	}
	file.extend(code);
	file
}

/// Makes one system call and exits with its error number, 0 for none.
pub fn system_call(number: u32, arguments: [u64; 4]) -> Vec<u8> {
	let mut code = Vec::new();
	for (register, argument) in
		[[0x48, 0xbf], [0x48, 0xbe], [0x48, 0xba], [0x49, 0xba]].iter().zip(arguments)
	{
		// mov rdi, rsi, rdx, r10
		code.extend(register);
		code.extend(argument.to_le_bytes());
	}
	// xor r8, r8; mov eax, number; syscall
	code.extend([0x4d, 0x31, 0xc0, 0xb8]);
	code.extend(number.to_le_bytes());
	code.extend([0x0f, 0x05]);
	// test rax, rax; js over; xor eax, eax; over: neg eax; mov edi, eax; mov eax, 60; syscall
	code.extend([0x48, 0x85, 0xc0, 0x78, 0x02, 0x31, 0xc0, 0xf7, 0xd8, 0x89, 0xc7]);
	code.extend([0xb8, 60, 0, 0, 0, 0x0f, 0x05]);
	elf(&code, 62)
}

/// Makes a socket file at `path` by `mknod`, and exits like [`system_call`].
pub fn make_socket(path: &str) -> Vec<u8> {
	const SYS_MKNOD: u32 = 133;
	const S_IFSOCK: u64 = 0o140_000;
	let length = system_call(SYS_MKNOD, [0; 4]).len() as u64;
	let mut program = system_call(SYS_MKNOD, [BASE + length, S_IFSOCK | 0o666, 0, 0]);
	program.extend(path.as_bytes());
	program.push(0);
	// The kernel maps whole pages, so what is behind the segment's end is there.
	program
}

/// Dies of an illegal instruction.
pub fn illegal_instruction() -> Vec<u8> {
	elf(&[0x0f, 0x0b], 62)
}

/// Makes a call by the 32-bit convention, `getpid`, and exits with 0 if it comes back.
pub fn foreign_convention() -> Vec<u8> {
	// mov eax, 20; int 0x80; xor edi, edi; mov eax, 60; syscall
	elf(&[0xb8, 20, 0, 0, 0, 0xcd, 0x80, 0x31, 0xff, 0xb8, 60, 0, 0, 0, 0x0f, 0x05], 62)
}

/// A program for another machine: 64-bit ARM.
pub fn foreign_machine() -> Vec<u8> {
	elf(&[0; 4], 183)
}
