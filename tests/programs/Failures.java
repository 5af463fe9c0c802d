// SPDX-License-Identifier: MIT
import java.util.concurrent.Callable;

/** Exceptions as they are printed: causes, suppressed ones, both. */
public class Failures {
    static class Resource implements AutoCloseable {
        public void close() {
            throw new IllegalStateException("close failed;\n  at rest (twice)");
        }
    }

    static int divide(int a, int b) {
        return a / b;
    }

    static int parse(String s) {
        try {
            return divide(Integer.parseInt(s), 0);
        } catch (ArithmeticException e) {
            throw new IllegalArgumentException("cannot parse " + s, e);
        }
    }

    static void load(String s) throws Exception {
        try (Resource r = new Resource()) {
            parse(s);
        } catch (IllegalArgumentException e) {
            throw new Exception("cannot load", e);
        }
    }

    static void attempt(Callable<?> c) {
        try {
            c.call();
        } catch (Exception e) {
            System.err.println("12:00:01 ERROR request failed");
            e.printStackTrace();
        }
    }

    public static void main(String[] args) {
        for (int i = 0; i < 3; i++) {
            attempt(() -> {
                load("7");
                return 0;
            });
            System.err.println("12:00:02 INFO at least we try (again)");
        }
        attempt(() -> Integer.parseInt("seven"));
        attempt(() -> parse("8"));
        throw new IllegalStateException("the end");
    }
}
