import static ai.timefold.solver.core.api.score.stream.ConstraintCollectors.toList;
import static ai.timefold.solver.core.api.score.stream.Joiners.equal;

import ai.timefold.solver.core.api.score.buildin.hardsoftlong.HardSoftLongScore;
import ai.timefold.solver.core.api.score.stream.Constraint;
import ai.timefold.solver.core.api.score.stream.ConstraintFactory;
import ai.timefold.solver.core.api.score.stream.ConstraintProvider;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;

/** The rules and prices as constraint streams, one each. */
public class Streams implements ConstraintProvider {
    @Override
    public Constraint[] defineConstraints(ConstraintFactory factory) {
        return new Constraint[] {
            hours(factory), keep(factory), separate(factory), inOrder(factory),
            escalation(factory), placement(factory), balance(factory),
        };
    }

    /** No person is given more work in a window than the open minutes in it. */
    private Constraint hours(ConstraintFactory factory) {
        return factory.forEach(Duty.class)
            .filter(Duty::withinHorizon)
            .groupBy(Duty::person, toList())
            .penalizeLong(HardSoftLongScore.ONE_HARD, Streams::minutesOver)
            .asConstraint("hours");
    }

    /** Minutes asked over the open ones, summed over the windows between the releases and the dues of these tasks. */
    static long minutesOver(Person person, List<Duty> duties) {
        Duty[] byDue = duties.toArray(new Duty[0]);
        Arrays.sort(byDue, Comparator.comparingInt(Duty::due));
        long over = 0;
        for (int i = 0; i < byDue.length; i++) {
            int from = byDue[i].release();
            if (firstOf(byDue, i, from)) {
                over += minutesOver(person, byDue, from);
            }
        }
        return over;
    }

    private static boolean firstOf(Duty[] duties, int place, int release) {
        for (int i = 0; i < place; i++) {
            if (duties[i].release() == release) {
                return false;
            }
        }
        return true;
    }

    private static long minutesOver(Person person, Duty[] byDue, int from) {
        long over = 0;
        long asked = 0;
        for (int i = 0; i < byDue.length; i++) {
            int due = byDue[i].due();
            asked += byDue[i].release() >= from ? byDue[i].workMin() : 0;
            boolean last = i + 1 == byDue.length || byDue[i + 1].due() > due;
            if (last && due >= from) {
                over += Math.max(asked - person.instance().roomMin(person.id(), from, due), 0);
            }
        }
        return over;
    }

    /** Work that has a person is not escalated. */
    private Constraint keep(ConstraintFactory factory) {
        return factory.forEachIncludingUnassigned(Duty.class)
            .filter(duty -> duty.getPlace() == null && !duty.mayEscalate())
            .penalizeLong(HardSoftLongScore.ONE_HARD, duty -> Roster.BROKEN)
            .asConstraint("keep");
    }

    /** The people of one piece of work differ. */
    private Constraint separate(ConstraintFactory factory) {
        return factory.forEach(Duty.class)
            .join(Separate.class, equal(Duty::getId, Separate::one))
            .join(Duty.class, equal((duty, pair) -> pair.other(), Duty::getId), equal((duty, pair) -> duty.person(), Duty::person))
            .penalizeLong(HardSoftLongScore.ONE_HARD, (one, pair, other) -> Roster.BROKEN)
            .asConstraint("separate");
    }

    /** A review is released after the slot by which its preparation is promised. */
    private Constraint inOrder(ConstraintFactory factory) {
        return factory.forEach(Duty.class)
            .filter(review -> review.preparation() >= 0 && review.release() < review.instance().slotCount)
            .join(Duty.class, equal(Duty::preparation, Duty::getId))
            .filter((review, preparation) -> review.release() <= preparation.due())
            .penalizeLong(HardSoftLongScore.ONE_HARD, (review, preparation) -> Roster.BROKEN)
            .asConstraint("in order");
    }

    private Constraint escalation(ConstraintFactory factory) {
        return factory.forEachIncludingUnassigned(Duty.class)
            .filter(duty -> duty.getPlace() == null)
            .penalizeLong(HardSoftLongScore.ONE_SOFT, Duty::escalationMin)
            .asConstraint("escalation");
    }

    private Constraint placement(ConstraintFactory factory) {
        return factory.forEach(Duty.class)
            .penalizeLong(HardSoftLongScore.ONE_SOFT, Duty::priceMin)
            .asConstraint("placement");
    }

    private Constraint balance(ConstraintFactory factory) {
        return factory.forEach(Duty.class)
            .groupBy(Duty::person, toList())
            .complement(Person.class, person -> List.of())
            .penalizeLong(HardSoftLongScore.ONE_SOFT, Streams::imbalanceMin)
            .asConstraint("balance");
    }

    static long imbalanceMin(Person person, List<Duty> duties) {
        Instance instance = person.instance();
        long[] loads = new long[1 + instance.endSlots.length];
        for (Duty duty : duties) {
            loads[0] += duty.workMin();
            for (int j = 0; j < instance.endSlots.length; j++) {
                loads[1 + j] += duty.due() <= instance.endSlots[j] ? duty.workMin() : 0;
            }
        }
        return instance.imbalanceMin(person.id(), loads);
    }
}
