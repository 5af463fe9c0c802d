// SPDX-License-Identifier: MIT
/** A virtual thread on its carrier, and a deadlock. */
public class Virtual {
    static volatile int sink;

    static void spin() {
        while (true)
            sink++;
    }

    static void lockBoth(Object a, Object b) {
        synchronized (a) {
            try {
                Thread.sleep(300);
            } catch (InterruptedException e) {
            }
            synchronized (b) {
                sink++;
            }
        }
    }

    public static void main(String[] args) throws Exception {
        Object a = new Object(), b = new Object();
        Thread.ofVirtual().name("v").start(Virtual::spin);
        Thread.ofPlatform().daemon().name("left").start(() -> lockBoth(a, b));
        Thread.ofPlatform().daemon().name("right").start(() -> lockBoth(b, a));
        Thread.sleep(Long.parseLong(args[0]));
    }
}
