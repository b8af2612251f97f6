import ai.timefold.solver.core.api.domain.solution.PlanningEntityCollectionProperty;
import ai.timefold.solver.core.api.domain.solution.PlanningScore;
import ai.timefold.solver.core.api.domain.solution.PlanningSolution;
import ai.timefold.solver.core.api.domain.solution.ProblemFactCollectionProperty;
import ai.timefold.solver.core.api.score.buildin.hardsoftlong.HardSoftLongScore;
import java.util.ArrayList;
import java.util.List;

/** The whole firm's plan. */
@PlanningSolution
public class Roster {
    /** Paid, as hard score, for each broken rule that is not counted in minutes. */
    static final long BROKEN = 1_000;

    @ProblemFactCollectionProperty
    private List<Person> people;

    @ProblemFactCollectionProperty
    private List<Separate> separates;

    @PlanningEntityCollectionProperty
    private List<Duty> duties;

    @PlanningScore
    private HardSoftLongScore score;

    private Instance instance;

    private Ledger ledger;

    /** For the solver, which clones plans. */
    public Roster() {
    }

    /** The start plan of an instance. */
    Roster(Instance instance) {
        this.instance = instance;
        people = new ArrayList<>();
        separates = new ArrayList<>();
        duties = new ArrayList<>();
        for (int p = 0; p < instance.personCount; p++) {
            people.add(new Person(instance, p));
        }
        for (int t = 0; t < instance.taskCount; t++) {
            duties.add(duty(t));
            for (int other : instance.apart[t]) {
                if (t < other) {
                    separates.add(new Separate(t, other));
                }
            }
        }
    }

    private Duty duty(int t) {
        List<Place> range = new ArrayList<>();
        Place start = null;
        for (Person person : people) {
            for (int k = 0; k < instance.windowCount(t); k++) {
                if (instance.possible(t, person.id(), k)) {
                    range.add(person.place(k));
                }
            }
        }
        if (instance.startWho[t] != Instance.ESCALATED) {
            start = people.get(instance.startWho[t]).place(instance.startWindow[t]);
        }
        return new Duty(instance, t, range, start);
    }

    public List<Duty> getDuties() {
        return duties;
    }

    public HardSoftLongScore getScore() {
        return score;
    }

    public void setScore(HardSoftLongScore score) {
        this.score = score;
    }

    Instance instance() {
        return instance;
    }

    /** The calculator of the plan being changed: its moves ask it for room. */
    Ledger ledger() {
        return ledger;
    }

    void keep(Ledger ledger) {
        this.ledger = ledger;
    }
}
