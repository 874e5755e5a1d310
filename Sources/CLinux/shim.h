// What the Glibc module of the toolchain does not declare, because it is imported without _GNU_SOURCE.
#ifndef KATA_CLINUX_H
#define KATA_CLINUX_H
#include <stddef.h>
#include <errno.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/fsuid.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <unistd.h>
#include <linux/sockios.h>
#include <linux/vm_sockets.h>

void *memmem(const void *haystack, size_t haystack_length, const void *needle, size_t needle_length);
void *memrchr(const void *bytes, int byte, size_t length);
int renameat2(int old_directory, const char *old_path, int new_directory, const char *new_path, unsigned flags);
int mkostemp(char *path_template, int flags);
int accept4(int socket, struct sockaddr *restrict address, socklen_t *restrict length, int flags);
/* Constants that a C library declares only for GNU's sources. */
enum { kata_o_path = 010000000, kata_at_empty_path = 0x1000, kata_rename_noreplace = 1 };

/* memfd_create(2): a file in memory, which is gone when it is closed; close-on-exec. */
int memfd_create(const char *name, unsigned int flags);
static inline int kata_memfd(const char *name) { return memfd_create(name, 1); }


int pipe2(int ends[2], int flags);
/// pipe(2), both ends close-on-exec from the start, so that no program that another thread starts gets them.
/// EFD_CLOEXEC is O_CLOEXEC by definition; fcntl.h would make struct stat a type of this module.
static inline int kata_pipe(int ends[2]) { return pipe2(ends, EFD_CLOEXEC); }
int dup3(int old_descriptor, int new_descriptor, int flags);
int setgroups(size_t count, const gid_t *groups);

/// Keeps this process and those it starts from gaining rights by running a program.
static inline int kata_no_new_privileges(void) { return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); }

static inline struct sockaddr_vm kata_vsock_address(uint32_t cid, uint32_t port) {
  struct sockaddr_vm address;
  memset(&address, 0, sizeof address);
  address.svm_family = AF_VSOCK;
  address.svm_cid = cid;
  address.svm_port = port;
  return address;
}

/// Binds to an address of AF_VSOCK; 0, or -1 with errno.
static inline int kata_bind_vsock(int socket, uint32_t cid, uint32_t port) {
  const struct sockaddr_vm address = kata_vsock_address(cid, port);
  return bind(socket, (const struct sockaddr *)&address, sizeof address);
}

static inline int kata_connect_vsock(int socket, uint32_t cid, uint32_t port) {
  const struct sockaddr_vm address = kata_vsock_address(cid, port);
  return connect(socket, (const struct sockaddr *)&address, sizeof address);
}

/// Binds to or connects to a path; -1 with ENAMETOOLONG when the path does not fit.
static inline int kata_unix_socket(int socket, const char *path, int connects) {
  struct sockaddr_un address;
  memset(&address, 0, sizeof address);
  address.sun_family = AF_UNIX;
  size_t length = strlen(path);
  if (length >= sizeof address.sun_path) { errno = ENAMETOOLONG; return -1; }
  memcpy(address.sun_path, path, length);
  // A leading @ stands for the abstract namespace, which is told by a first byte of zero and the length.
  socklen_t size = sizeof address;
  if (path[0] == '@') { address.sun_path[0] = 0; size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length); }
  return connects ? connect(socket, (const struct sockaddr *)&address, size)
                  : bind(socket, (const struct sockaddr *)&address, size);
}

/// Accepts a connection, not blocking and close-on-exec; `cid` gets the peer's context id over AF_VSOCK.
static inline int kata_accept(int socket, uint32_t *cid) {
  struct sockaddr_storage address;
  memset(&address, 0, sizeof address);
  socklen_t length = sizeof address;
  int result = accept4(socket, (struct sockaddr *)&address, &length, SOCK_NONBLOCK | SOCK_CLOEXEC);
  *cid = address.ss_family == AF_VSOCK ? ((struct sockaddr_vm *)&address)->svm_cid : 0;
  return result;
}

/// Bytes that were written to a pipe, or sent over a socket, and that its reader has not taken yet; -1 with errno.
static inline int kata_unread_bytes(int file, int is_socket) {
  int count = 0;
  return ioctl(file, is_socket ? SIOCOUTQ : FIONREAD, &count) == 0 ? count : -1;
}

/// Sends bytes, and a descriptor when it is not negative, as one message.
static inline ssize_t kata_send_descriptor(int socket, const void *bytes, size_t count, int descriptor) {
  struct iovec part = {(void *)bytes, count};
  union { struct cmsghdr header; char space[CMSG_SPACE(sizeof(int))]; } control;
  memset(&control, 0, sizeof control);
  struct msghdr message;
  memset(&message, 0, sizeof message);
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  if (descriptor >= 0) {
    message.msg_control = &control;
    message.msg_controllen = sizeof control.space;
    struct cmsghdr *header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(sizeof(int));
    memcpy(CMSG_DATA(header), &descriptor, sizeof descriptor);
  }
  return sendmsg(socket, &message, MSG_NOSIGNAL);
}

/// Receives one message; `descriptor` gets the one that came with it, or -1.
static inline ssize_t kata_receive_descriptor(int socket, void *bytes, size_t count, int *descriptor) {
  struct iovec part = {bytes, count};
  union { struct cmsghdr header; char space[CMSG_SPACE(sizeof(int))]; } control;
  struct msghdr message;
  memset(&message, 0, sizeof message);
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  message.msg_control = &control;
  message.msg_controllen = sizeof control.space;
  *descriptor = -1;
  ssize_t result = recvmsg(socket, &message, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);
  if (result >= 0) {
    struct cmsghdr *header = CMSG_FIRSTHDR(&message);
    if (header && header->cmsg_level == SOL_SOCKET && header->cmsg_type == SCM_RIGHTS)
      memcpy(descriptor, CMSG_DATA(header), sizeof *descriptor);
  }
  return result;
}

/* What follows has state, of which each file that uses it would have one of its own: only JournalFaults.swift does. */
struct kata_page_faults { size_t page_size; unsigned count; };
static inline struct kata_page_faults *kata_page_faults(void) {
  static struct kata_page_faults faults;
  return &faults;
}

/// Puts a page of zeros where a mapped file has none any more. Nothing here but what a signal handler may do.
static inline void kata_handle_bus_error(int number, siginfo_t *info, void *context) {
  (void)context;
  int error = errno;
  if (info->si_code == BUS_ADRERR) {
    size_t size = kata_page_faults()->page_size;
    void *page = (void *)((uintptr_t)info->si_addr & ~(uintptr_t)(size - 1));
    if (mmap(page, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) != MAP_FAILED) {
      __atomic_add_fetch(&kata_page_faults()->count, 1, __ATOMIC_RELAXED);
      errno = error;
      return;
    }
  }
  signal(number, SIG_DFL);
  raise(number);
}

/// From now on the process survives reading what a mapped file no longer has; 0, or -1 with errno.
static inline int kata_survive_page_faults(void) {
  struct sigaction action;
  memset(&action, 0, sizeof action);
  action.sa_sigaction = kata_handle_bus_error;
  action.sa_flags = SA_SIGINFO | SA_NODEFER;
  kata_page_faults()->page_size = (size_t)sysconf(_SC_PAGESIZE);
  return sigaction(SIGBUS, &action, NULL);
}

/// How many pages were missing so far, in all threads.
static inline unsigned kata_page_fault_count(void) { return __atomic_load_n(&kata_page_faults()->count, __ATOMIC_RELAXED); }

#endif
