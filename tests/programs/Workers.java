// SPDX-License-Identifier: MIT
import java.net.ServerSocket;
import java.util.function.IntSupplier;

/** Threads in every state that a thread dump tells of. */
public class Workers {
    static volatile int sink;
    static final Object lock = new Object();

    static class Parser {
        int depth(int n) {
            return n == 0 ? spin() : depth(n - 1);
        }

        int spin() {
            int x = 0;
            while (true) {
                x = x * 31 + 7;
                sink = x;
            }
        }
    }

    static void start(String name, Runnable body) {
        Thread t = new Thread(body, name);
        t.setDaemon(true);
        t.start();
    }

    static void hold() {
        synchronized (lock) {
            new Parser().depth(3);
        }
    }

    static void contend() {
        synchronized (lock) {
            sink++;
        }
    }

    static void sleep() {
        try {
            Thread.sleep(1000000);
        } catch (InterruptedException e) {
        }
    }

    static void listen() {
        try (ServerSocket s = new ServerSocket(0)) {
            s.accept();
        } catch (Exception e) {
        }
    }

    static void select() {
        try {
            java.nio.channels.Selector.open().select();
        } catch (Exception e) {
        }
    }

    public static void main(String[] args) throws Exception {
        IntSupplier hot = () -> new Parser().spin();
        start("worker-1", hot::getAsInt);
        start("worker-2", hot::getAsInt);
        start("holder \"of\" the; lock", Workers::hold);
        Thread.sleep(200);
        start("waiter-17", Workers::contend);
        start("sleeper", Workers::sleep);
        start("listener", Workers::listen);
        start("selector", Workers::select);
        Thread.sleep(Long.parseLong(args[0]));
    }
}
