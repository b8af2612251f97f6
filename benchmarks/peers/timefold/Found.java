import java.util.stream.Collectors;

/** Tells what is found as benchmarks/peers/trace.py does: JSON lines, the last plan of each quarter of a second. */
final class Found {
    private static final long BIN_MS = 250;

    private final long startedMs;
    private Roster pending;
    private long pendingMs;

    Found(long startedMs) {
        this.startedMs = startedMs;
    }

    long elapsedMs() {
        return System.currentTimeMillis() - startedMs;
    }

    void better(Roster roster) {
        long now = elapsedMs();
        if (pending != null && now / BIN_MS != pendingMs / BIN_MS) {
            flush();
        }
        pending = roster;
        pendingMs = now;
    }

    void close(long movesPerSecond, String version) {
        flush();
        System.out.printf(
            "{\"seconds\": %s, \"moves_per_s\": %d, \"versions\": {\"timefold\": \"%s\", \"java\": \"%s\"}}%n",
            elapsedMs() / 1000.0, movesPerSecond, version, System.getProperty("java.version"));
    }

    private void flush() {
        if (pending == null) {
            return;
        }
        String who = pending.getDuties().stream()
            .map(duty -> duty.getPlace() == null ? "-1" : Integer.toString(duty.getPlace().person().id()))
            .collect(Collectors.joining(", "));
        String window = pending.getDuties().stream()
            .map(duty -> duty.getPlace() == null ? "-1" : Integer.toString(duty.getPlace().window()))
            .collect(Collectors.joining(", "));
        System.out.printf(
            "{\"seconds\": %s, \"objective_min\": %d, \"who\": [%s], \"window\": [%s]}%n",
            pendingMs / 1000.0, -pending.getScore().softScore(), who, window);
        System.out.flush();
        pending = null;
    }
}
