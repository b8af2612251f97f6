import java.io.BufferedReader;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.StringTokenizer;
import java.util.stream.IntStream;

/** One problem as read from the neutral file; benchmarks/peers/instance.py says what each array means. */
final class Instance {
    static final int ESCALATED = -1;

    final int taskCount;
    final int personCount;
    final int slotCount;
    final int[] firstWindow;
    final int[] release;
    final int[] due;
    final long[] lateMin;
    /** Minutes and price by task and person; 0 minutes where the person may not do the task. */
    final int[][] workMin;
    final int[][] priceMin;
    final long[] escalationMin;
    final boolean[] mayEscalate;
    /** By task: the tasks that must go to other people, and the reviews of it. */
    final int[][] apart;
    final int[][] reviews;
    final int[] preparation;
    final int[] endSlots;
    final long[][] shareMin;
    final long[] farMin;
    final long nearPct;
    final long farPct;
    final long weekPct;
    final int[] startWho;
    final int[] startWindow;
    /** Open minutes of each person before each slot. */
    final long[][] untilMin;

    private Instance(Map<String, long[]> arrays) {
        firstWindow = ints(arrays.get("first_window"));
        taskCount = firstWindow.length - 1;
        farMin = arrays.get("far_min");
        personCount = farMin.length;
        long[] open = arrays.get("open_min");
        slotCount = open.length / personCount;
        untilMin = new long[personCount][slotCount + 1];
        for (int p = 0; p < personCount; p++) {
            for (int s = 0; s < slotCount; s++) {
                untilMin[p][s + 1] = untilMin[p][s] + open[p * slotCount + s];
            }
        }
        release = ints(arrays.get("release"));
        due = ints(arrays.get("due"));
        lateMin = arrays.get("late_min");
        workMin = new int[taskCount][personCount];
        priceMin = new int[taskCount][personCount];
        int[] pairTask = ints(arrays.get("pair_task"));
        int[] pairPerson = ints(arrays.get("pair_person"));
        for (int i = 0; i < pairTask.length; i++) {
            workMin[pairTask[i]][pairPerson[i]] = (int) arrays.get("pair_work_min")[i];
            priceMin[pairTask[i]][pairPerson[i]] = (int) arrays.get("pair_price_min")[i];
        }
        escalationMin = arrays.get("escalation_min");
        mayEscalate = new boolean[taskCount];
        preparation = ints(arrays.get("preparation"));
        List<List<Integer>> others = lists(taskCount);
        List<List<Integer>> after = lists(taskCount);
        int[] separate = ints(arrays.get("separate"));
        for (int i = 0; i < separate.length; i += 2) {
            others.get(separate[i]).add(separate[i + 1]);
            others.get(separate[i + 1]).add(separate[i]);
        }
        for (int t = 0; t < taskCount; t++) {
            mayEscalate[t] = arrays.get("may_escalate")[t] != 0;
            if (preparation[t] >= 0) {
                after.get(preparation[t]).add(t);
            }
        }
        apart = arraysOf(others);
        reviews = arraysOf(after);
        endSlots = ints(arrays.get("end_slots"));
        long[] shares = arrays.get("share_min");
        shareMin = new long[personCount][1 + endSlots.length];
        for (int i = 0; i < shares.length; i++) {
            shareMin[i / (1 + endSlots.length)][i % (1 + endSlots.length)] = shares[i];
        }
        nearPct = arrays.get("balance_pct")[0];
        farPct = arrays.get("balance_pct")[1];
        weekPct = arrays.get("balance_pct")[2];
        startWho = ints(arrays.get("start_who"));
        startWindow = ints(arrays.get("start_window"));
    }

    static Instance read(Path path) throws IOException {
        Map<String, long[]> arrays = new HashMap<>();
        try (BufferedReader lines = Files.newBufferedReader(path)) {
            for (String line = lines.readLine(); line != null; line = lines.readLine()) {
                StringTokenizer words = new StringTokenizer(line);
                String name = words.nextToken();
                words.nextToken(); // the shape follows from the other arrays
                long[] numbers = new long[words.countTokens()];
                for (int i = 0; i < numbers.length; i++) {
                    numbers[i] = Long.parseLong(words.nextToken());
                }
                arrays.put(name, numbers);
            }
        }
        return new Instance(arrays);
    }

    int windowCount(int t) {
        return firstWindow[t + 1] - firstWindow[t];
    }

    /** Open minutes of a person from the start of one slot to the end of another. */
    long roomMin(int p, int from, int to) {
        return untilMin[p][to + 1] - untilMin[p][from];
    }

    /** Whether the person may do the task and has room for it in its window with nothing else to do. */
    boolean possible(int t, int p, int window) {
        int w = firstWindow[t] + window;
        return workMin[t][p] > 0 && (due[w] >= slotCount || roomMin(p, release[w], due[w]) >= workMin[t][p]);
    }

    /** The windows within the horizon in which the person may be given work. */
    int[] windowsWithin(int p) {
        return IntStream.range(0, taskCount)
            .flatMap(t -> IntStream.range(0, windowCount(t)).filter(k -> possible(t, p, k)).map(k -> firstWindow[t] + k))
            .filter(w -> due[w] < slotCount)
            .toArray();
    }

    /** The price of a person's loads: of all work, then of the work promised by each week end. */
    long imbalanceMin(int p, long[] loads) {
        long[] share = shareMin[p];
        long away = Math.abs(loads[0] - share[0]);
        long hundredths = nearPct * away + farPct * Math.max(away - farMin[p], 0);
        for (int j = 1; j < loads.length; j++) {
            hundredths += weekPct * Math.abs(loads[j] - share[j]);
        }
        return (hundredths + 99) / 100;
    }

    private static int[] ints(long[] numbers) {
        int[] found = new int[numbers.length];
        for (int i = 0; i < found.length; i++) {
            found[i] = Math.toIntExact(numbers[i]);
        }
        return found;
    }

    private static List<List<Integer>> lists(int count) {
        List<List<Integer>> found = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            found.add(new ArrayList<>());
        }
        return found;
    }

    private static int[][] arraysOf(List<List<Integer>> lists) {
        return lists.stream().map(list -> list.stream().mapToInt(Integer::intValue).toArray()).toArray(int[][]::new);
    }
}
