/* Makes the disk of a process slow and its clock wrong, as the numbers in a shared file say.
 *
 * Preloaded (LD_PRELOAD). CHAOS_CONTROL names the file, which holds two longs: the microseconds that
 * each write and each sync of a regular file takes longer, and the seconds by which the time of day
 * is off. Clocks that only count on stay as they are.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

struct control {
    long delay_us;
    long skew_s;
};

static const struct control calm;
static const volatile struct control *control = &calm;

__attribute__((constructor)) static void attach(void)
{
    const char *path = getenv("CHAOS_CONTROL");
    int file = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
    if (file < 0)
        return;
    void *found = mmap(NULL, sizeof calm, PROT_READ, MAP_SHARED, file, 0);
    close(file);
    if (found != MAP_FAILED)
        control = found;
}

static void be_slow(int file)
{
    struct stat found;
    if (control->delay_us && fstat(file, &found) == 0 && S_ISREG(found.st_mode))
        usleep(control->delay_us);
}

ssize_t write(int file, const void *data, size_t size)
{
    be_slow(file);
    return syscall(SYS_write, file, data, size);
}

ssize_t pwrite(int file, const void *data, size_t size, off_t at)
{
    be_slow(file);
    return syscall(SYS_pwrite64, file, data, size, at);
}

ssize_t pwrite64(int file, const void *data, size_t size, off64_t at)
{
    return pwrite(file, data, size, at);
}

int fsync(int file)
{
    be_slow(file);
    return syscall(SYS_fsync, file);
}

int fdatasync(int file)
{
    be_slow(file);
    return syscall(SYS_fdatasync, file);
}

int clock_gettime(clockid_t clock, struct timespec *now)
{
    static int (*real)(clockid_t, struct timespec *);
    if (!real)
        real = (int (*)(clockid_t, struct timespec *))dlsym(RTLD_NEXT, "clock_gettime");
    int failed = real(clock, now);
    if (!failed && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE))
        now->tv_sec += control->skew_s;
    return failed;
}

int gettimeofday(struct timeval *now, void *zone)
{
    struct timespec exact;
    (void)zone;
    clock_gettime(CLOCK_REALTIME, &exact);
    now->tv_sec = exact.tv_sec;
    now->tv_usec = exact.tv_nsec / 1000;
    return 0;
}

time_t time(time_t *kept)
{
    struct timespec exact;
    clock_gettime(CLOCK_REALTIME_COARSE, &exact);
    if (kept)
        *kept = exact.tv_sec;
    return exact.tv_sec;
}
