import ai.timefold.solver.core.api.score.director.ScoreDirector;
import ai.timefold.solver.core.impl.heuristic.selector.move.factory.MoveIteratorFactory;
import java.util.Iterator;
import java.util.List;
import java.util.Random;

/**
 * Moves drawn without end: one task elsewhere, two tasks swapped, three tasks in a chain. Stock selectors count all value ranges
 * again at every step, which takes most of the time. What has no room is not proposed: looking costs less than changing and undoing.
 */
public class Moves implements MoveIteratorFactory<Roster, Relocation> {
    private static final double SWAPS = 0.45;
    private static final double CHAINS = 0.15;
    private static final double FIRST_WINDOW = 0.8;
    private static final int TRIES = 100;
    private static final Place ESCALATED = null;

    /** Gathered once: an iterator is asked for at every step. */
    private Duty[] movable;

    @Override
    public long getSize(ScoreDirector<Roster> director) {
        return director.getWorkingSolution().getDuties().size();
    }

    @Override
    public Iterator<Relocation> createOriginalMoveIterator(ScoreDirector<Roster> director) {
        throw new UnsupportedOperationException("only random moves");
    }

    @Override
    public void phaseStarted(ScoreDirector<Roster> director) {
        movable = director.getWorkingSolution().getDuties().stream()
            .filter(duty -> duty.getPlaces().size() + (duty.mayEscalate() ? 1 : 0) > 1)
            .toArray(Duty[]::new);
    }

    @Override
    public Iterator<Relocation> createRandomMoveIterator(ScoreDirector<Roster> director, Random random) {
        return new Drawn(movable, director.getWorkingSolution().ledger(), random);
    }

    private static final class Drawn implements Iterator<Relocation> {
        private final Duty[] movable;
        private final Ledger ledger;
        private final Random random;

        Drawn(Duty[] movable, Ledger ledger, Random random) {
            this.movable = movable;
            this.ledger = ledger;
            this.random = random;
        }

        @Override
        public boolean hasNext() {
            return movable.length > 0;
        }

        @Override
        public Relocation next() {
            double kind = random.nextDouble();
            for (int i = 0; i < TRIES; i++) {
                Relocation found = kind < CHAINS ? chain() : kind < CHAINS + SWAPS ? swap() : change();
                if (found != null) {
                    return found;
                }
            }
            Duty duty = any();
            return new Relocation(new Duty[] {duty}, new Place[] {somewhere(duty)});
        }

        private Duty any() {
            return movable[random.nextInt(movable.length)];
        }

        private Relocation change() {
            Duty duty = any();
            Place there = somewhere(duty);
            if (there == duty.getPlace() || !fits(duty, there, personOf(duty) == personOf(there) ? duty : null)) {
                return null;
            }
            return new Relocation(new Duty[] {duty}, new Place[] {there});
        }

        private Relocation swap() {
            Duty one = any();
            Duty other = any();
            if (personOf(one) == personOf(other)) {
                return null;
            }
            Place there = with(one, personOf(other));
            Place here = with(other, personOf(one));
            if (!fits(one, there, other) || !fits(other, here, one)) {
                return null;
            }
            return new Relocation(new Duty[] {one, other}, new Place[] {there, here});
        }

        /** The first takes the second's person, the second the third's, the third goes anywhere. */
        private Relocation chain() {
            Duty one = any();
            Duty two = any();
            Duty three = any();
            if (personOf(one) == personOf(two) || personOf(two) == personOf(three) || personOf(one) == personOf(three)) {
                return null;
            }
            Place first = with(one, personOf(two));
            Place second = with(two, personOf(three));
            Place third = somewhere(three);
            if (!fits(one, first, two) || !fits(two, second, three) || personOf(third) == personOf(two)) {
                return null;
            }
            if (!fits(three, third, personOf(third) == personOf(one) ? one : personOf(third) == personOf(three) ? three : null)) {
                return null;
            }
            return new Relocation(new Duty[] {one, two, three}, new Place[] {first, second, third});
        }

        private Place somewhere(Duty duty) {
            List<Place> places = duty.getPlaces();
            int drawn = random.nextInt(places.size() + (duty.mayEscalate() ? 1 : 0));
            return drawn < places.size() ? places.get(drawn) : ESCALATED;
        }

        /** A place of the task with the person, mostly in its cheapest window; escalated with nobody. */
        private Place with(Duty duty, Person person) {
            if (person == null) {
                return ESCALATED;
            }
            return person.place(random.nextDouble() < FIRST_WINDOW ? 0 : random.nextInt(duty.windowCount()));
        }

        /** Whether the task may go there and has room there once {@code leaving} has left. */
        private boolean fits(Duty duty, Place place, Duty leaving) {
            if (place == ESCALATED) {
                return duty.mayEscalate();
            }
            return duty.possible(place) && ledger.fits(duty, place, leaving);
        }

        private static Person personOf(Duty duty) {
            return personOf(duty.getPlace());
        }

        private static Person personOf(Place place) {
            return place == ESCALATED ? null : place.person();
        }
    }
}
