import ai.timefold.solver.core.api.score.buildin.hardsoftlong.HardSoftLongScore;
import ai.timefold.solver.core.api.score.calculator.IncrementalScoreCalculator;
import java.util.Arrays;

/** The same rules and prices, kept up to date change by change: a change touches the windows that hold its task and no other. */
public class Ledger implements IncrementalScoreCalculator<Roster, HardSoftLongScore> {
    private static final int BEYOND = -1;

    private Instance instance;
    private int[] who;
    private int[] window;
    /** By person and flat window: its row among the releases and its column among the dues; no column beyond the horizon. */
    private int[][] row;
    private int[][] column;
    /** By person: how many columns, and what is left of each window, row by row. */
    private int[] columns;
    private int[][] slackMin;
    private long[][] loadMin;
    private long hard;
    private long soft;

    @Override
    public void resetWorkingSolution(Roster roster) {
        instance = roster.instance();
        who = new int[instance.taskCount];
        window = new int[instance.taskCount];
        Arrays.fill(who, Instance.ESCALATED);
        hard = 0;
        soft = 0;
        layOut();
        loadMin = new long[instance.personCount][1 + instance.endSlots.length];
        for (int p = 0; p < instance.personCount; p++) {
            soft -= instance.imbalanceMin(p, loadMin[p]);
        }
        roster.getDuties().forEach(this::insert);
        roster.keep(this);
    }

    /** Whether a task has room with a person once {@code leaving}, which may be null, has left them. */
    boolean fits(Duty duty, Place place, Duty leaving) {
        int t = duty.getId();
        int p = place.person().id();
        int w = instance.firstWindow[t] + place.window();
        if (column[p][w] == BEYOND) {
            return true;
        }
        int gone = leaving == null ? BEYOND : column[p][window[leaving.getId()]];
        int goneRow = gone == BEYOND ? -1 : row[p][window[leaving.getId()]];
        int goneMin = gone == BEYOND ? 0 : instance.workMin[leaving.getId()][p];
        int[] slack = slackMin[p];
        for (int i = row[p][w]; i >= 0; i--) {
            for (int j = column[p][w]; j < columns[p]; j++) {
                int freed = i <= goneRow && j >= gone ? goneMin : 0;
                if (slack[i * columns[p] + j] + freed < instance.workMin[t][p]) {
                    return false;
                }
            }
        }
        return true;
    }

    /** Lay out, for each person, the windows between the releases and the dues of what they may be given. */
    private void layOut() {
        columns = new int[instance.personCount];
        slackMin = new int[instance.personCount][];
        row = new int[instance.personCount][instance.release.length];
        column = new int[instance.personCount][instance.release.length];
        for (int p = 0; p < instance.personCount; p++) {
            layOut(p);
        }
    }

    private void layOut(int p) {
        int[] within = instance.windowsWithin(p);
        int[] releases = Arrays.stream(within).map(w -> instance.release[w]).sorted().distinct().toArray();
        int[] dues = Arrays.stream(within).map(w -> instance.due[w]).sorted().distinct().toArray();
        columns[p] = dues.length;
        Arrays.fill(column[p], BEYOND);
        for (int w : within) {
            row[p][w] = Arrays.binarySearch(releases, instance.release[w]);
            column[p][w] = Arrays.binarySearch(dues, instance.due[w]);
        }
        slackMin[p] = new int[releases.length * dues.length];
        for (int i = 0; i < slackMin[p].length; i++) {
            int from = releases[i / dues.length];
            int to = dues[i % dues.length];
            slackMin[p][i] = from > to ? Integer.MAX_VALUE / 2 : (int) instance.roomMin(p, from, to);
        }
    }

    @Override
    public void beforeVariableChanged(Object entity, String variable) {
        retract((Duty) entity);
    }

    @Override
    public void afterVariableChanged(Object entity, String variable) {
        insert((Duty) entity);
    }

    private void insert(Duty duty) {
        int t = duty.getId();
        Place place = duty.getPlace();
        if (place == null) {
            left(t, 1);
            return;
        }
        who[t] = place.person().id();
        window[t] = instance.firstWindow[t] + place.window();
        placed(t, 1);
    }

    private void retract(Duty duty) {
        int t = duty.getId();
        if (who[t] == Instance.ESCALATED) {
            left(t, -1);
        } else {
            placed(t, -1);
            who[t] = Instance.ESCALATED;
        }
    }

    private void left(int t, int sign) {
        soft -= sign * instance.escalationMin[t];
        hard -= instance.mayEscalate[t] ? 0 : sign * Roster.BROKEN;
    }

    private void placed(int t, int sign) {
        int p = who[t];
        int w = window[t];
        int minutes = instance.workMin[t][p];
        soft -= sign * (instance.lateMin[w] + instance.priceMin[t][p]);
        hard -= sign * Roster.BROKEN * brokenLinks(t);
        load(p, w, sign * minutes);
        if (column[p][w] != BEYOND) {
            take(slackMin[p], columns[p], row[p][w], column[p][w], sign * minutes);
        }
    }

    private void load(int p, int w, int minutes) {
        long[] loads = loadMin[p];
        soft += instance.imbalanceMin(p, loads);
        loads[0] += minutes;
        for (int j = 0; j < instance.endSlots.length; j++) {
            if (instance.due[w] <= instance.endSlots[j]) {
                loads[1 + j] += minutes;
            }
        }
        soft -= instance.imbalanceMin(p, loads);
    }

    private void take(int[] slack, int width, int lastRow, int firstColumn, int minutes) {
        int more = 0;
        for (int i = 0; i <= lastRow; i++) {
            for (int k = i * width + firstColumn; k < (i + 1) * width; k++) {
                int before = slack[k];
                int after = before - minutes;
                slack[k] = after;
                more += Math.min(after, 0) - Math.min(before, 0);
            }
        }
        hard += more;
    }

    private int brokenLinks(int t) {
        int broken = 0;
        for (int other : instance.apart[t]) {
            broken += who[other] == who[t] ? 1 : 0;
        }
        int before = instance.preparation[t];
        if (before >= 0 && who[before] != Instance.ESCALATED) {
            broken += tooEarly(window[t], window[before]);
        }
        for (int review : instance.reviews[t]) {
            broken += who[review] == Instance.ESCALATED ? 0 : tooEarly(window[review], window[t]);
        }
        return broken;
    }

    private int tooEarly(int review, int preparation) {
        int release = instance.release[review];
        return release < instance.slotCount && release <= instance.due[preparation] ? 1 : 0;
    }

    @Override
    public HardSoftLongScore calculateScore() {
        return HardSoftLongScore.of(hard, soft);
    }

    @Override
    public void beforeEntityAdded(Object entity) {
    }

    @Override
    public void afterEntityAdded(Object entity) {
    }

    @Override
    public void beforeEntityRemoved(Object entity) {
    }

    @Override
    public void afterEntityRemoved(Object entity) {
    }
}
